import CLinux
import Glibc
import Support

/// Many descriptors to be watched: eventfds, which are ready to be read once somebody has written.
/// See eventfd(2).
struct EventCounters: ~Copyable {
    let descriptors: [CInt]

    /// Opens so many, or as many as this process may have open. See RLIMIT_NOFILE in getrlimit(2).
    init(_ count: Int) throws(Errno) {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) != -1 else { throw Errno("getrlimit") }
        limit.rlim_cur = limit.rlim_max
        setrlimit(files, &limit)
        var descriptors: [CInt] = []
        for _ in 0..<count {
            let descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
            guard descriptor != -1 || errno == EMFILE else { throw Errno("eventfd") }
            if descriptor == -1 { break }
            descriptors.append(descriptor)
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }

    /// Makes one of them ready.
    static func raise(_ descriptor: CInt) {
        var one: UInt64 = 1
        write(descriptor, &one, 8)
    }

    /// Takes out what was written, so that it is not ready any more.
    /// - Returns: What read has given.
    @discardableResult
    static func lower(_ descriptor: CInt) -> Int {
        var value: UInt64 = 0
        return read(descriptor, &value, 8)
    }
}

/// An epoll descriptor that watches all of `descriptors` for bytes.
func watchWithEpoll(_ descriptors: [CInt]) throws(Errno) -> CInt {
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    for descriptor in descriptors {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != -1 else {
            throw Errno("epoll_ctl")
        }
    }
    return epoll
}
