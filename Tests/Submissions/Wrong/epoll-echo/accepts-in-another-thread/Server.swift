// Caught by: epoll-echo.testHasOneThread
// Says: 2 threads
// The mistake: A second thread accepts, and puts the clients into the list.

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    let epoll = epoll_create1(0)
    guard epoll != -1 else { throw Errno("epoll_create1") }
    shared = (listener, epoll)
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { _ in
            while true { takeClient() }
        }, nil)
    var unsent: [CInt: [UInt8]] = [:]
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    while true {
        let count = epoll_wait(epoll, &events, CInt(events.count), -1)
        if count == -1 {
            if errno == EINTR { continue }
            throw Errno("epoll_wait")
        }
        for event in events[..<Int(count)] {
            if step(epoll, event, &unsent) { continue }
            unsent[event.data.fd] = nil
            close(event.data.fd)
        }
    }
}

/// What the second thread works with.
nonisolated(unsafe) private var shared: (listener: CInt, epoll: CInt) = (-1, -1)

/// Waits for one client.
private func takeClient() {
    let socket = accept4(
        shared.listener, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
    if socket != -1, !watch(shared.epoll, EPOLL_CTL_ADD, socket, EPOLLIN) { close(socket) }
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
