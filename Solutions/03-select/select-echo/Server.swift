// Exercise select-echo: a TCP and UDP echo server in one loop around select.
// Read chapters/03-select.md first. Try it with: swift test --filter SelectEcho

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, for ever.
///
/// - Parameters:
///   - listener: A listening TCP socket that would wait: it has no O_NONBLOCK yet.
///   - datagrams: A UDP socket bound to the same port, and without O_NONBLOCK, too.
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
            throw .current
        }
        let ready = connections.keys.filter {
            FD_ISSET($0, &readable) != 0 || FD_ISSET($0, &writable) != 0
        }
        for socket in ready where !proceed(socket, &connections, &buffer) { isFull = false }
        if FD_ISSET(datagrams, &readable) != 0 { echoDatagrams(datagrams, &buffer) }
        // Clients come last: a descriptor closed above may come back here, and its bits are old.
        if FD_ISSET(listener, &readable) != 0 {
            isFull = try !acceptClients(listener, &connections)
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
    // A closed descriptor must leave the sets: select would fail with EBADF from now on.
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
///
/// - Returns: True when the backlog is empty. False when this process has no descriptor left: the
///   rest stays in the backlog, so the listener stays ready. Do not ask for it again before a
///   client has left.
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
        return true
    } catch {
        guard error.rawValue == EMFILE else { throw error }
        return false
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
        // EAGAIN: no more of them. Anything else is told by the next call again, or is over.
        guard count != -1 else { return }
        _ = sender.withSockaddr { sendto(socket, buffer, count, 0, $0, $1) }
    }
    //< your part: echoDatagrams
}
