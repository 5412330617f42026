// Right: epoll_pwait for one event at a time, one accept for each, and EPOLL_CTL_DEL before close.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    let epoll = epoll_create(1)
    guard epoll != -1 else { throw Errno("epoll_create") }
    try setNonblocking(listener)
    try control(epoll, EPOLL_CTL_ADD, listener, EPOLLIN)
    var unsent: [CInt: ArraySlice<UInt8>] = [:]
    var isListening = true
    var clients = 0
    while true {
        var event = epoll_event()
        // Full, and nobody can leave: then the clock says when to try again.
        let isAlone = !isListening && clients == 0
        let count = epoll_pwait(epoll, &event, 1, isAlone ? 100 : -1, nil)
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("epoll_pwait")
        }
        if count == 0 {
            try control(epoll, EPOLL_CTL_ADD, listener, EPOLLIN)
            isListening = true
            continue
        }
        let socket = event.data.fd
        if socket == listener {
            do throws(Errno) {
                if try acceptOne(listener, epoll) { clients += 1 }
            } catch  where error.acceptFailure == .noRoom {
                isListening = false
                try control(epoll, EPOLL_CTL_DEL, listener, EPOLLIN)
            }
            continue
        }
        let bits = event.events
        if bits & EPOLLERR.rawValue == 0, echo(socket, epoll, &unsent) { continue }
        unsent[socket] = nil
        try control(epoll, EPOLL_CTL_DEL, socket, EPOLLIN)
        close(socket)
        clients -= 1
        if !isListening { try control(epoll, EPOLL_CTL_ADD, listener, EPOLLIN) }
        isListening = true
    }
}

/// Whether a client has come. If this one was lost, the next one makes the next event.
private func acceptOne(_ listener: CInt, _ epoll: CInt) throws(Errno) -> Bool {
    let socket = accept(listener, nil, nil)
    guard socket != -1 else {
        let error = Errno("accept")
        if error.number == EAGAIN || error.acceptFailure == .tryNext { return false }
        throw error
    }
    try setNonblocking(socket)
    do throws(Errno) {
        try control(epoll, EPOLL_CTL_ADD, socket, EPOLLIN)
        return true
    } catch {
        // ENOSPC, ENOMEM: the kernel has no room for the entry.
        close(socket)
        return false
    }
}

private func echo(
    _ socket: CInt, _ epoll: CInt, _ unsent: inout [CInt: ArraySlice<UInt8>]
) -> Bool {
    let wasSending = unsent[socket] != nil
    var rest = unsent[socket] ?? []
    if !wasSending {
        var buffer = [UInt8](repeating: 0, count: 1000)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count == 0 { return false }
        if count == -1 { return errno == EAGAIN || errno == EINTR }
        rest = buffer[..<count]
    }
    // One send for each event. What is left waits for room.
    let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    if count == -1, errno != EAGAIN, errno != EINTR { return false }
    rest = rest.dropFirst(max(count, 0))
    unsent[socket] = rest.isEmpty ? nil : rest
    if rest.isEmpty != wasSending { return true }
    do throws(Errno) {
        try control(epoll, EPOLL_CTL_MOD, socket, rest.isEmpty ? EPOLLIN : EPOLLOUT)
        return true
    } catch {
        return false
    }
}

private func control(
    _ epoll: CInt, _ operation: CInt, _ socket: CInt, _ events: EPOLL_EVENTS
) throws(Errno) {
    var event = epoll_event()
    event.events = events.rawValue
    event.data.fd = socket
    guard epoll_ctl(epoll, operation, socket, &event) == 0 else { throw Errno("epoll_ctl") }
}
