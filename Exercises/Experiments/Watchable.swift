// Chapter 5: which descriptors epoll can watch, found out by trying, and what poll says of them.

import CLinux
import Glibc
import Listening
import Support

/// Makes one descriptor of each kind, and offers it to epoll and to poll.
func showWhatIsWatchable() throws(Errno) {
    let epoll = try opened(epoll_create1(0))
    print("kind              epoll     poll, at once")
    for (kind, descriptor) in try oneOfEachKind() {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
        let result = epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
        let epollSays = result == 0 ? "yes" : errno == EPERM ? "EPERM" : "\(Errno("epoll_ctl"))"
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
        poll(&entry, 1, 0)
        print(column(kind, 18) + column(epollSays, 10) + names(of: entry.revents))
    }
    try readAtTheEnd()
}

/// A regular file is ready also where it has nothing more to give.
private func readAtTheEnd() throws(Errno) {
    let file = try opened(open("/etc/passwd", O_RDONLY | O_NONBLOCK))
    lseek(file, 0, SEEK_END)
    var readable = fd_set()
    FD_SET(file, &readable)
    var none = timeval()
    let ready = select(file + 1, &readable, nil, nil, &none)
    var byte: UInt8 = 0
    print("at a file's end: select says \(ready) ready, read gives \(read(file, &byte, 1))")
}

private func oneOfEachKind() throws(Errno) -> [(String, CInt)] {
    var pipe: [CInt] = [0, 0]
    _ = try opened(pipe2(&pipe, 0))
    let folder = "/tmp/watchable-\(getpid())"
    _ = try opened(mkdir(folder, 0o700))
    _ = try opened(mkfifo(folder + "/fifo", 0o600))
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGUSR1)
    var attributes = mq_attr()
    attributes.mq_maxmsg = 1
    attributes.mq_msgsize = 8
    let queueName = "/watchable-\(getpid())"
    let queue = mq_open_create(queueName, O_RDONLY | O_CREAT, 0o600, &attributes)
    defer {
        unlink(folder + "/fifo")
        rmdir(folder)
        mq_unlink(queueName)
    }
    return [
        ("pipe", pipe[0]),
        ("FIFO", try opened(open(folder + "/fifo", O_RDWR))),
        ("TCP listener", try openListener(port: 0)),
        ("UDP socket", try openDatagramSocket(port: 0)),
        ("eventfd", try opened(eventfd(0, 0))),
        ("timerfd", try opened(timerfd_create(CLOCK_MONOTONIC, 0))),
        ("signalfd", try opened(signalfd(-1, &signals, 0))),
        ("inotify", try opened(inotify_init1(0))),
        ("message queue", try opened(queue)),
        (
            "process (pidfd)",
            try opened(CInt(raw_syscall(Int(SYS_pidfd_open), Int(getpid()), 0, 0, 0, 0, 0)))
        ),
        ("another epoll", try opened(epoll_create1(0))),
        ("terminal (ptmx)", try opened(open("/dev/ptmx", O_RDWR | O_NOCTTY))),
        ("/dev/random", try opened(open("/dev/random", O_RDONLY))),
        ("/dev/null", try opened(open("/dev/null", O_RDWR))),
        ("/dev/urandom", try opened(open("/dev/urandom", O_RDONLY))),
        ("regular file", try opened(open("/etc/passwd", O_RDONLY))),
        ("memory (memfd)", try opened(memfd_create("memory", 0))),
        ("directory", try opened(open("/etc", O_RDONLY))),
        ("/proc/self/status", try opened(open("/proc/self/status", O_RDONLY))),
        ("/proc/self/mounts", try opened(open("/proc/self/mounts", O_RDONLY))),
    ]
}

private func opened(_ descriptor: CInt) throws(Errno) -> CInt {
    guard descriptor != -1 else { throw Errno("opening") }
    return descriptor
}

private func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

private func names(of events: Int16) -> String {
    let all = [
        (POLLIN, "POLLIN"), (POLLOUT, "POLLOUT"), (POLLERR, "POLLERR"), (POLLHUP, "POLLHUP"),
    ]
    let set = all.filter { Int32(events) & $0.0 != 0 }.map(\.1)
    return set.isEmpty ? "-" : set.joined(separator: " ")
}
