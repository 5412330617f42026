// Right: it keeps two sets up to date, and gives select copies of them. It writes a line to
// standard error for each client and each datagram.

import CLinux
import Glibc
import Nonblocking
import Support

/// What select is to be asked, kept up to date as clients come and go.
struct Watched {
    var readable = fd_set()
    var writable = fd_set()
    var highest: CInt = 0

    mutating func ask(_ socket: CInt, forRoom: Bool) {
        if forRoom { FD_SET(socket, &writable) } else { FD_CLR(socket, &writable) }
        if forRoom { FD_CLR(socket, &readable) } else { FD_SET(socket, &readable) }
        highest = max(highest, socket)
    }

    mutating func forget(_ socket: CInt) {
        FD_CLR(socket, &readable)
        FD_CLR(socket, &writable)
        while highest > 0, FD_ISSET(highest, &readable) == 0, FD_ISSET(highest, &writable) == 0 {
            highest -= 1
        }
    }
}

/// Serves all clients in one thread, forever.
///
/// - Parameters:
///   - listener: A listening TCP socket.
///   - datagrams: A UDP socket bound to the same port.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt, _ datagrams: CInt) throws(Errno) {
    try setNonblocking(listener)
    try setNonblocking(datagrams)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var watched = Watched()
    watched.ask(listener, forRoom: false)
    watched.ask(datagrams, forRoom: false)
    while true {
        var readable = watched.readable
        var writable = watched.writable
        let highest = watched.highest
        guard select(highest + 1, &readable, &writable, nil, nil) != -1 else {
            if errno == EINTR { continue }  // The sets mean nothing now.
            throw Errno("select")
        }
        let ready = connections.keys.filter {
            FD_ISSET($0, &readable) != 0 || FD_ISSET($0, &writable) != 0
        }
        for socket in ready {
            if proceed(socket, &connections, &buffer) {
                watched.ask(socket, forRoom: connections[socket]?.hasUnsent == true)
            } else {
                watched.forget(socket)
                watched.ask(listener, forRoom: false)
            }
        }
        if FD_ISSET(datagrams, &readable) != 0 { echoDatagrams(datagrams, &buffer) }
        if FD_ISSET(listener, &readable) != 0 {
            let before = Set(connections.keys)
            let isFull = try acceptClients(listener, &connections)
            for socket in connections.keys where !before.contains(socket) {
                watched.ask(socket, forRoom: false)
            }
            if isFull { watched.forget(listener) }
        }
    }
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what has
/// come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    let isSending = connections[socket]?.hasUnsent == true
    let stays =
        isSending ? connections[socket]?.send() : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    connections[socket] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog.
///
/// - Returns: Whether there is no room for some of them, and a client could make some. They stay in
///   the backlog, so the listener stays ready: do not ask for it again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            if connection.socket < FD_SETSIZE {
                note("client \(connection.socket) has come")
                connections[connection.socket] = connection
            } else {
                note("client \(connection.socket) does not fit into an fd_set")
                close(connection.socket)
            }
        }
        return false
    } catch {
        switch error.acceptFailure {
        case .noRoom where connections.isEmpty:
            // Nobody can leave: try again a little later.
            pauseForRoom()
            return false
        case .noRoom: return true
        case .tryNext, .broken: throw error
        }
    }
}

/// Sends the datagrams that have come back to their senders, at most 64 in one turn.
func echoDatagrams(_ socket: CInt, _ buffer: inout [UInt8]) {
    var sender = SocketAddress()
    for _ in 0..<64 {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, &buffer, buffer.count, 0, $0, $1)
        }
        guard count != -1 else { return }
        note("\(count) bytes from \(sender)")
        var isSent = false
        while !isSent {
            let result = sender.withSockaddr { sendto(socket, buffer, count, 0, $0, $1) }
            isSent = result != -1 || errno != EINTR
        }
    }
}
