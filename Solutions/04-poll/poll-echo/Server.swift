// Exercise poll-echo: a TCP echo server in one loop around poll.
// Read chapters/04-poll.md first. Try it with: swift test --filter PollEcho

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    try setNonblocking(listener)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    // Row 0 is the listener's, and each client has a row. The question stays from turn to turn:
    // poll writes its answer beside it, into `revents`.
    var rows = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    while true {
        guard poll(&rows, nfds_t(rows.count), -1) != -1 else {
            if errno == EINTR { continue }  // The answers are still those of the turn before.
            throw Errno("poll")
        }
        // Backwards: the row that fills a gap comes from the end, so it has had its turn already.
        for index in rows.indices.dropFirst().reversed() where rows[index].revents != 0 {
            // POLLHUP and POLLERR come unasked. Whatever it is, the next read or send tells.
            let socket = rows[index].fd
            if proceed(socket, &connections, &buffer) {
                // A socket is nearly always writable: ask for that only while bytes are unsent.
                let hasUnsent = connections[socket]?.hasUnsent == true
                rows[index].events = Int16(hasUnsent ? POLLOUT : POLLIN)
            } else {
                rows.swapAt(index, rows.count - 1)
                rows.removeLast()
                rows[0].fd = listener
            }
        }
        // Newcomers come last: their rows have no answer yet, and get one in the next turn.
        if rows[0].revents != 0 {
            let isFull = try acceptClients(listener, &connections, &rows)
            // poll leaves out a row with a negative descriptor.
            rows[0].fd = isFull ? -1 : listener
        }
    }
    //< your part: serve
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what
/// has come. You wrote it in select-echo.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    if connections[socket]?.proceed(&buffer) == true { return true }
    // A closed descriptor must leave the array: poll would say POLLNVAL of it from now on.
    connections[socket] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog, and gives each a row.
///
/// - Returns: Whether there was no room for some of them. They stay in the backlog, so accept would
///   fail again at once: leave it alone until a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection], _ rows: inout [pollfd]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            // Any number will do. An fd_set ends at 1023; this array grows.
            connections[connection.socket] = connection
            rows.append(pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0))
        }
        return false
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        // Without a client that could leave, nothing will tell when there is room again.
        if connections.isEmpty { pauseForRoom() }
        return !connections.isEmpty
    }
    //< your part: acceptClients
}
