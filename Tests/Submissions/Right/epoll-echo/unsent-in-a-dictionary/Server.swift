// Right: What each client is owed is kept in a dictionary; read and write, SIGPIPE ignored.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    signal(SIGPIPE, SIG_IGN)
    try setNonblocking(listener)
    let epoll = epoll_create1(0)
    guard epoll != -1 else { throw Errno("epoll_create1") }
    guard watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN) else { throw Errno("epoll_ctl") }
    var number = 0
    var unsent: [CInt: [UInt8]] = [:]
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    var isFull = false
    while true {
        let count = epoll_wait(epoll, &events, CInt(events.count), -1)
        if count == -1 {
            if errno == EINTR { continue }
            throw Errno("epoll_wait")
        }
        var hasLeft = false
        for event in events[..<Int(count)] where event.data.fd != listener {
            if step(epoll, event, &unsent) { continue }
            unsent[event.data.fd] = nil
            close(event.data.fd)
            number -= 1
            hasLeft = true
        }
        if isFull, hasLeft {
            isFull = false
            _ = watch(epoll, EPOLL_CTL_MOD, listener, EPOLLIN)
        }
        for event in events[..<Int(count)] where event.data.fd == listener {
            guard try !takeClients(listener, epoll, &number) else { continue }
            if number == 0 {
                // Nobody can leave, so nothing will tell when there is room again.
                usleep(100_000)
                continue
            }
            isFull = true
            var nothing = epoll_event(events: 0, data: epoll_data_t(fd: listener))
            epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &nothing)
        }
    }
    //< your part: serve
}

/// Accepts until nobody waits. False when there is no room for more.
private func takeClients(
    _ listener: CInt, _ epoll: CInt, _ number: inout Int
) throws(Errno) -> Bool {
    while true {
        let socket = accept4(
            listener, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
        if socket != -1 {
            if watch(epoll, EPOLL_CTL_ADD, socket, EPOLLIN) { number += 1 } else { close(socket) }
            continue
        }
        switch errno {
        case EAGAIN: return true
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return false
        // What has happened to this one client on the network.
        case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH,
            EHOSTDOWN, EHOSTUNREACH, ENONET:
            continue
        default: throw Errno("accept4")
        }
    }
}

/// Sends what is unsent, or echoes what has come. False when the client is over.
private func step(_ epoll: CInt, _ event: epoll_event, _ unsent: inout [CInt: [UInt8]]) -> Bool {
    let socket = event.data.fd
    if let rest = unsent[socket] {
        guard let left = sendWhatFits(socket, rest[...]) else { return false }
        unsent[socket] = left.isEmpty ? nil : left
        return !left.isEmpty || watch(epoll, EPOLL_CTL_MOD, socket, EPOLLIN)
    }
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let count = read(socket, &buffer, buffer.count)
    if count == 0 { return false }
    guard count != -1 else { return errno == EAGAIN || errno == EINTR }
    guard let left = sendWhatFits(socket, buffer[..<count]) else { return false }
    if left.isEmpty { return true }
    unsent[socket] = left
    return watch(epoll, EPOLL_CTL_MOD, socket, EPOLLOUT)
}

/// Gives back what did not fit; nil when the client is gone.
private func sendWhatFits(_ socket: CInt, _ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
        if count == -1 {
            if errno == EINTR { continue }
            if errno == EAGAIN { break }
            return nil
        }
        rest = rest.dropFirst(count)
    }
    return Array(rest)
}

private func watch(
    _ epoll: CInt, _ operation: CInt, _ socket: CInt, _ events: EPOLL_EVENTS
) -> Bool {
    //> your part: watch
    var event = epoll_event(events: events.rawValue, data: epoll_data_t(fd: socket))
    return epoll_ctl(epoll, operation, socket, &event) != -1
    //< your part: watch
}
