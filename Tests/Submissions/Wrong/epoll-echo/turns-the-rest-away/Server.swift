// Caught by: epoll-echo.testGoesOnWhenDescriptorsRunOut
// Says: an empty backlog
// The mistake: It keeps a spare descriptor, accepts with it, and closes at once.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    try setNonblocking(listener)
    let epoll = epoll_create1(0)
    guard epoll != -1, watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN) else {
        throw Errno("epoll_create1")
    }
    var unsent: [CInt: [UInt8]] = [:]
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    var isFull = false
    spare = dup(listener)
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
            hasLeft = true
        }
        if isFull, hasLeft {
            isFull = false
            _ = watch(epoll, EPOLL_CTL_MOD, listener, EPOLLIN)
        }
        for event in events[..<Int(count)] where event.data.fd == listener {
            guard try !takeClients(listener, epoll) else { continue }
            isFull = true
            var nothing = epoll_event(events: 0, data: epoll_data_t(fd: listener))
            epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &nothing)
        }
    }
}

/// A descriptor for those who are turned away.
nonisolated(unsafe) private var spare: CInt = -1

/// Accepts until nobody waits.
private func takeClients(_ listener: CInt, _ epoll: CInt) throws(Errno) -> Bool {
    while true {
        let socket = accept4(
            listener, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
        if socket != -1 {
            if !watch(epoll, EPOLL_CTL_ADD, socket, EPOLLIN) { close(socket) }
            continue
        }
        if errno == EAGAIN { return true }
        if errno == EMFILE {
            close(spare)
            let guest = accept(listener, nil, nil)
            if guest != -1 { close(guest) }
            spare = dup(listener)
            if guest == -1 { return true }
            continue
        }
        guard errno == EINTR || errno == ECONNABORTED else { throw Errno("dup") }
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
    var event = epoll_event(events: events.rawValue, data: epoll_data_t(fd: socket))
    return epoll_ctl(epoll, operation, socket, &event) != -1
}
