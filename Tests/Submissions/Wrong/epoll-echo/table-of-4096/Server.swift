// Caught by: epoll-echo.testServesManyClients
// Says: Swift stopped it
// The mistake: It keeps its clients in an array of 4,096, by their descriptors.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    defer { close(epoll) }
    try watch(epoll, EPOLL_CTL_ADD, listener, for: EPOLLIN.rawValue)
    var connections = [Connection?](repeating: nil, count: 4096)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    // Only room for answers. What does not fit stays ready, and comes with the next call.
    var events = [epoll_event](repeating: epoll_event(), count: 512)
    var isFull = false
    while true {
        // Nobody is named here: the kernel has the list, and gives back those who are ready.
        let count = epoll_wait(epoll, &events, CInt(events.count), -1)
        guard count != -1 else {
            if errno == EINTR { continue }  // Also after SIGSTOP and SIGCONT, without a handler.
            throw Errno("epoll_wait")
        }
        var mayAccept = false
        for event in events.prefix(Int(count)) {
            if event.data.fd == listener {
                mayAccept = true
            } else if !proceed(event.data.fd, epoll, &connections, &buffer), isFull {
                mayAccept = true
            }
        }
        // Newcomers come last: a descriptor closed above may come back here, and its event is old.
        guard mayAccept else { continue }
        let wasFull = isFull
        isFull = try !acceptClients(listener, epoll, &connections)
        if isFull != wasFull {
            try watch(epoll, EPOLL_CTL_MOD, listener, for: isFull ? 0 : EPOLLIN.rawValue)
        }
    }
}

/// Puts a socket into the interest list, or changes its entry. There it stays until it is closed.
///
/// - Parameters:
///   - operation: `EPOLL_CTL_ADD` for a new entry, `EPOLL_CTL_MOD` for one that is there.
///   - events: What to watch for. Errors and hang-ups come without being asked for.
/// - Throws: The `Errno` of epoll_ctl.
func watch(
    _ epoll: CInt, _ operation: CInt, _ socket: CInt, for events: UInt32
) throws(Errno) {
    // The kernel never looks into `data`. It comes back as it is, with each event of this entry.
    var event = epoll_event(events: events, data: epoll_data_t(fd: socket))
    guard epoll_ctl(epoll, operation, socket, &event) != -1 else { throw Errno("epoll_ctl") }
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what has come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ epoll: CInt, _ connections: inout [Connection?],
    _ buffer: inout [UInt8]
) -> Bool {
    let wasSending = connections[Int(socket)]?.hasUnsent == true
    let stays =
        wasSending ? connections[Int(socket)]?.send() : connections[Int(socket)]?.receive(&buffer)
    if stays == true {
        // The list remembers, so it is told of changes only. Most lines change nothing.
        let isSending = connections[Int(socket)]?.hasUnsent == true
        if isSending == wasSending { return true }
        let events = isSending ? EPOLLOUT : EPOLLIN
        do throws(Errno) {
            try watch(epoll, EPOLL_CTL_MOD, socket, for: events.rawValue)
            return true
        } catch {
            note("client \(socket): \(error)")
        }
    }
    // This was the only descriptor of the connection, so its entry leaves the list with it.
    connections[Int(socket)] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog.
///
/// - Returns: False when this process has no descriptor left. The rest stays in the backlog, so the
///   listener stays ready: do not ask for it again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ epoll: CInt, _ connections: inout [Connection?]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            do throws(Errno) {
                // Once for the whole life of the connection, not once for each turn.
                try watch(epoll, EPOLL_CTL_ADD, connection.socket, for: EPOLLIN.rawValue)
                connections[Int(connection.socket)] = connection
            } catch {
                // ENOSPC, ENOMEM: the kernel has no room for the entry.
                note("client \(connection.socket): \(error)")
                close(connection.socket)
            }
        }
        return true
    } catch {
        guard error.number == EMFILE else { throw error }
        return false
    }
}
