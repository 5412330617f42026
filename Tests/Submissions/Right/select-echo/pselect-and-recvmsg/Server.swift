// Right: pselect without a mask, recvmsg and sendmsg, one datagram and one client in a turn.

import CLinux
import Glibc
import Nonblocking
import Support

/// A client: its socket, and what it is still owed.
struct Client {
    let socket: CInt
    private var unsent: [UInt8] = []

    init(_ socket: CInt) { self.socket = socket }

    var hasUnsent: Bool { !unsent.isEmpty }

    mutating func receive(_ buffer: inout [UInt8]) -> Bool {
        let count = buffer.withUnsafeMutableBytes { bytes in
            var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return withUnsafeMutablePointer(to: &part) { part in
                var message = msghdr()
                message.msg_iov = part
                message.msg_iovlen = 1
                return recvmsg(socket, &message, 0)
            }
        }
        if count > 0 { return send(buffer[..<count]) }
        return count == -1 && (errno == EAGAIN || errno == EINTR)
    }

    mutating func send() -> Bool { send(unsent[...]) }

    private mutating func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                var part = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    return sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
                }
            }
            if count == -1 && errno == EINTR { continue }
            if count == -1 && errno == EAGAIN { break }
            guard count != -1 else { return false }
            rest = rest.dropFirst(count)
        }
        unsent = Array(rest)
        return true
    }
}

/// Serves all clients in one thread, forever.
///
/// - Parameters:
///   - listener: A listening TCP socket.
///   - datagrams: A UDP socket bound to the same port.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt, _ datagrams: CInt) throws(Errno) {
    //> your part: serve
    try setNonblocking(listener)
    try setNonblocking(datagrams)
    var connections: [CInt: Client] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var isFull = false
    while true {
        var readable = fd_set()
        var writable = fd_set()
        if !isFull { FD_SET(listener, &readable) }
        FD_SET(datagrams, &readable)
        for (socket, connection) in connections {
            if connection.hasUnsent { FD_SET(socket, &writable) } else { FD_SET(socket, &readable) }
        }
        let highest = max(listener, datagrams, connections.keys.max() ?? 0)
        // Full, and nobody can leave: then the clock says when to try again.
        let isAlone = isFull && connections.isEmpty
        var pause = timespec(tv_sec: 0, tv_nsec: 100_000_000)
        let count =
            isAlone
            ? pselect(highest + 1, &readable, &writable, nil, &pause, nil)
            : pselect(highest + 1, &readable, &writable, nil, nil, nil)
        guard count != -1 else {
            if errno == EINTR { continue }  // The sets mean nothing now.
            throw Errno("pselect")
        }
        if isAlone { isFull = false }
        let ready = connections.keys.filter {
            FD_ISSET($0, &readable) != 0 || FD_ISSET($0, &writable) != 0
        }
        for socket in ready where !proceed(socket, &connections, &buffer) { isFull = false }
        if FD_ISSET(datagrams, &readable) != 0 { echoDatagrams(datagrams, &buffer) }
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
    _ socket: CInt, _ connections: inout [CInt: Client], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    let isSending = connections[socket]?.hasUnsent == true
    let stays =
        isSending ? connections[socket]?.send() : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
///
/// - Returns: False when there is no room for more. The rest stays in the backlog, so the listener
///   stays ready: do not ask for it again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Client]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    do throws(Errno) {
        if let connection = try acceptConnection(listener) {
            if connection.socket < FD_SETSIZE {
                connections[connection.socket] = Client(connection.socket)
            } else {
                note("client \(connection.socket) does not fit into an fd_set")
                close(connection.socket)
            }
        }
        return true
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        return false
    }
    //< your part: acceptClients
}

/// Sends the datagrams that have come back to their senders, at most 64 in one turn.
func echoDatagrams(_ socket: CInt, _ buffer: inout [UInt8]) {
    //> your part: echoDatagrams
    var sender = SocketAddress()
    for _ in 0..<1 {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, &buffer, buffer.count, 0, $0, $1)
        }
        guard count != -1 else { return }
        while sender.withSockaddr({ sendto(socket, buffer, count, 0, $0, $1) }) == -1,
            errno == EINTR
        {}
    }
    //< your part: echoDatagrams
}
