// Right: An array that is indexed by the descriptor, a number in `data` that tells a client from an
// earlier one, readv and writev, and a big buffer for all.

import CLinux
import Glibc
import Nonblocking
import Support

private struct Slot {
    var number: UInt32 = 0
    var isOpen = false
    var mayRead = false
    var rest: [UInt8] = []
}

func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    signal(SIGPIPE, SIG_IGN)
    let epoll = epoll_create1(0)
    guard epoll != -1 else { throw Errno("epoll_create1") }
    try register(listener, 0, epoll)
    var slots = [Slot](repeating: Slot(), count: 64)
    var memory = [UInt8](repeating: 0, count: 131_072)
    var ready: Set<Int> = []
    var numbers: UInt32 = 0
    var backlog = false
    var isFull = false
    var events = [epoll_event](repeating: epoll_event(), count: 1024)
    while true {
        let count = epoll_wait(epoll, &events, 1024, ready.isEmpty ? -1 : 0)
        if count == -1 {
            guard errno == EINTR else { throw Errno("epoll_wait") }
            continue
        }
        for event in events[..<Int(count)] {
            let socket = Int(event.data.u64 & 0xffff_ffff)
            let number = UInt32(event.data.u64 >> 32)
            if number == 0 { backlog = true }
            guard number != 0, slots[socket].isOpen, slots[socket].number == number else {
                continue
            }
            if event.events != EPOLLOUT.rawValue { slots[socket].mayRead = true }
            ready.insert(socket)
        }
        for socket in ready {
            switch turn(CInt(socket), &slots[socket], &memory) {
            case true?: break
            case false?: ready.remove(socket)
            case nil:
                ready.remove(socket)
                slots[socket] = Slot()
                close(CInt(socket))
                isFull = false
            }
        }
        while backlog, !isFull {
            let flags = Int32(SOCK_NONBLOCK.rawValue)
            let socket = accept4(listener, nil, nil, flags)
            if socket == -1 {
                switch errno {
                // What has happened to this one client on the network: no edge comes for the next.
                case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN,
                    ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET:
                    continue
                case EAGAIN: backlog = false
                case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                    // Without a client nobody can leave: then only the clock says when to go on.
                    isFull = slots.contains { $0.isOpen }
                    if !isFull { usleep(100_000) }
                default: throw Errno("accept4")
                }
                continue
            }
            while slots.count <= socket { slots += slots.map { _ in Slot() } }
            numbers &+= 1
            do throws(Errno) {
                try register(socket, numbers, epoll)
                slots[Int(socket)] = Slot(number: numbers, isOpen: true)
            } catch {
                // ENOSPC, ENOMEM: the kernel has no room for the entry.
                close(socket)
            }
        }
    }
}

private func register(_ socket: CInt, _ number: UInt32, _ epoll: CInt) throws(Errno) {
    let events = EPOLLIN.rawValue | EPOLLPRI.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue
    var event = epoll_event(
        events: events, data: epoll_data(u64: UInt64(number) << 32 | UInt64(socket)))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0 else { throw Errno("epoll_ctl") }
}

/// True: it has more. False: it rests. Nil: it is over.
private func turn(_ socket: CInt, _ slot: inout Slot, _ memory: inout [UInt8]) -> Bool? {
    for _ in 0..<3 {
        while !slot.rest.isEmpty {
            let count = vectored(&slot.rest, slot.rest.count) { writev(socket, $0, 1) }
            if count == -1 && errno == EAGAIN { return false }
            if count == -1 && errno != EINTR { return nil }
            slot.rest.removeFirst(max(0, count))
        }
        guard slot.mayRead else { return false }
        let count = vectored(&memory, memory.count) { readv(socket, $0, 1) }
        if count > 0 {
            slot.rest = Array(memory.prefix(count))
        } else if count == -1 && errno == EAGAIN {
            slot.mayRead = false
        } else if count == 0 || errno != EINTR {
            return nil
        }
    }
    return true
}

private func vectored(
    _ bytes: inout [UInt8], _ count: Int, _ call: (UnsafePointer<iovec>) -> Int
) -> Int {
    bytes.withUnsafeMutableBytes { bytes in
        var part = iovec(iov_base: bytes.baseAddress, iov_len: count)
        return call(&part)
    }
}
