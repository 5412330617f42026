import CLinux
import Glibc
import Support

/// Whether epoll shares memory with the kernel, as is said of it: what epoll_wait writes, where.
func epollCopies() throws(Errno) {
    let counters = try EventCounters(5)
    let epoll = try watchWithEpoll(counters.descriptors)
    defer { close(epoll) }
    for descriptor in counters.descriptors.prefix(3) { EventCounters.raise(descriptor) }

    // A page of our own. Filled with one pattern, then with another: what is the same after both
    // calls was written by the kernel.
    let size = 4096
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let page = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), page != MAP_FAILED
    else { throw Errno("mmap") }
    defer { munmap(page, size) }
    var count: CInt = 0
    let contents = [UInt8(0xaa), 0x55].map { pattern in
        memset(page, CInt(pattern), size)
        count = epoll_wait(epoll, page.assumingMemoryBound(to: epoll_event.self), 8, -1)
        return Array(UnsafeRawBufferPointer(start: page, count: size))
    }
    let written = zip(contents[0], contents[1]).count { $0 == $1 }
    let each = MemoryLayout<epoll_event>.stride
    print("epoll_wait gives \(count) and has written \(written) bytes: \(each) for each event")

    mprotect(page, size, PROT_READ)
    let refused = epoll_wait(epoll, page.assumingMemoryBound(to: epoll_event.self), 8, -1)
    let reason = Errno("epoll_wait")
    print("into a page that is read-only it gives \(refused): \(reason)")

    let shared = mmap(nil, size, PROT_READ, MAP_SHARED, epoll, 0)
    if shared == MAP_FAILED { print("of the epoll descriptor: \(Errno("mmap"))") }

    let got = EventCounters.lower(counters.descriptors[0])
    print("the data is where it was: read then copies \(got) bytes")
}
