// Exercise poll-echo: a TCP echo server in one loop around poll.
// Read chapters/04-poll.md first. Try it with: swift test --filter PollEcho

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, for ever.
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
            throw .current
        }
        // Backwards: the row that fills a gap comes from the end, so it has had its turn already.
        for index in rows.indices.dropFirst().reversed() where rows[index].revents != 0 {
            // POLLHUP and POLLERR come unasked. Whatever it is, the next read or send tells.
            let socket = rows[index].fd
            if proceed(socket, &connections, &buffer) {
                // A socket is nearly always writable: ask for that only while bytes are unsent.
                let isOwed = connections[socket]?.hasUnsent == true
                rows[index].events = Int16(isOwed ? POLLOUT : POLLIN)
            } else {
                rows.swapAt(index, rows.count - 1)
                rows.removeLast()
                rows[0].fd = listener
            }
        }
        // New clients come last: their rows have no answer yet, and get one in the next turn.
        if rows[0].revents != 0, try !acceptClients(listener, &connections, &rows) {
            rows[0].fd = -1  // poll leaves a row with a negative descriptor out.
        }
    }
    //< your part: serve
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what has
/// come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    let isSending = connections[socket]?.hasUnsent == true
    let stays =
        isSending ? connections[socket]?.send() : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    // A closed descriptor must leave the array: poll would say POLLNVAL of it from now on.
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog, and gives each a row.
///
/// - Returns: False when this process has no descriptor left. The rest stays in the backlog, so the
///   listener stays ready: do not ask for it again before a client has left.
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
        return true
    } catch {
        guard error.rawValue == EMFILE else { throw error }
        return false
    }
    //< your part: acceptClients
}
