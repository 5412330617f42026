// Exercise select-echo: a TCP and UDP echo server in one loop around select.
// Read chapters/03-select.md first. Try it with: swift test --filter SelectEcho

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
///
/// - Parameters:
///   - listener: A listening TCP socket that would wait: it has no O_NONBLOCK yet.
///   - datagrams: A UDP socket bound to the same port, and without O_NONBLOCK too.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt, _ datagrams: CInt) throws(Errno) {
    //> your part: serve
    try setNonblocking(listener)
    try setNonblocking(datagrams)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var isFull = false
    while true {
        // select overwrites its sets with the answer, so the question is asked anew each time.
        var readable = fd_set()
        var writable = fd_set()
        if !isFull { FD_SET(listener, &readable) }
        FD_SET(datagrams, &readable)
        for (socket, connection) in connections {
            // A socket is nearly always writable: ask for that only while bytes are unsent.
            if connection.hasUnsent { FD_SET(socket, &writable) } else { FD_SET(socket, &readable) }
        }
        // Not how many descriptors there are: the highest one, plus one.
        let highest = max(listener, datagrams, connections.keys.max() ?? 0)
        guard select(highest + 1, &readable, &writable, nil, nil) != -1 else {
            if errno == EINTR { continue }  // The sets mean nothing now.
            throw Errno("select")
        }
        let ready = connections.keys.filter {
            FD_ISSET($0, &readable) != 0 || FD_ISSET($0, &writable) != 0
        }
        for socket in ready where !proceed(socket, &connections, &buffer) { isFull = false }
        if FD_ISSET(datagrams, &readable) != 0 { echoDatagrams(datagrams, &buffer) }
        // Newcomers come last: a descriptor closed above may come back here, and its bits are old.
        if FD_ISSET(listener, &readable) != 0 {
            isFull = try acceptClients(listener, &connections)
        }
    }
    //< your part: serve
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what
/// has come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    if connections[socket]?.proceed(&buffer) == true { return true }
    // A closed descriptor must leave the sets: select would fail with EBADF from now on.
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
///
/// - Returns: Whether there was no room for some of them. They stay in the backlog, so accept would
///   fail again at once: leave it alone until a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            // An fd_set has FD_SETSIZE bits, 1024. C would write the next one beyond its end.
            if connection.socket < FD_SETSIZE {
                connections[connection.socket] = connection
            } else {
                note("client \(connection.socket) does not fit into an fd_set")
                close(connection.socket)
            }
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

/// Sends the datagrams that have come back to their senders, at most 64 in one turn.
func echoDatagrams(_ socket: CInt, _ buffer: inout [UInt8]) {
    //> your part: echoDatagrams
    var sender = SocketAddress()
    // A sender that never pauses would keep this loop for itself, and the clients waiting. What is
    // left in the queue keeps the socket ready: select says so again.
    for _ in 0..<64 {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, &buffer, buffer.count, 0, $0, $1)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            return  // EAGAIN: no more of them. Any other error comes back, or is over.
        }
        while sender.withSockaddr({ sendto(socket, buffer, count, 0, $0, $1) }) == -1 {
            if errno == EINTR { continue }
            break  // A reply that cannot be sent is that sender's loss.
        }
    }
    //< your part: echoDatagrams
}
