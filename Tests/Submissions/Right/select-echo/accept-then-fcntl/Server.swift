// Right: accept and fcntl, an array of clients, recv and send, and a buffer of 4 KiB for clients.

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
        let count = recv(socket, &buffer, 4096, 0)
        if count > 0 { return send(buffer[..<count]) }
        return count == -1 && (errno == EAGAIN || errno == EINTR)
    }

    mutating func send() -> Bool { send(unsent[...]) }

    private mutating func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
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

/// The next client's socket, which does not wait, or nil.
func acceptOne(_ listener: CInt) throws(Errno) -> CInt? {
    while true {
        let socket = accept(listener, nil, nil)
        if socket != -1 {
            try setNonblocking(socket)
            return socket
        }
        switch errno {
        // What has happened to this one client on the network.
        case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH,
            EHOSTDOWN, EHOSTUNREACH, ENONET:
            continue
        case EAGAIN: return nil
        default: throw Errno("accept")
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
    var connections: [Client?] = Array(repeating: nil, count: Int(FD_SETSIZE))
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var isFull = false
    while true {
        var readable = fd_set()
        var writable = fd_set()
        if !isFull { FD_SET(listener, &readable) }
        FD_SET(datagrams, &readable)
        var highest = max(listener, datagrams)
        for case let connection? in connections {
            let socket = connection.socket
            if connection.hasUnsent { FD_SET(socket, &writable) } else { FD_SET(socket, &readable) }
            highest = max(highest, socket)
        }
        guard select(highest + 1, &readable, &writable, nil, nil) != -1 else {
            if errno == EINTR { continue }  // The sets mean nothing now.
            throw Errno("select")
        }
        let ready = (0...highest).filter { socket in
            connections[Int(socket)] != nil
                && (FD_ISSET(socket, &readable) != 0 || FD_ISSET(socket, &writable) != 0)
        }
        for socket in ready where !proceed(socket, &connections, &buffer) { isFull = false }
        if FD_ISSET(datagrams, &readable) != 0 { echoDatagrams(datagrams, &buffer) }
        if FD_ISSET(listener, &readable) != 0 {
            isFull = try !acceptClients(listener, &connections)
            if isFull && connections.allSatisfy({ $0 == nil }) {
                // Nobody can leave, so nothing will tell when there is room again.
                usleep(100_000)
                isFull = false
            }
        }
    }
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what has
/// come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [Client?], _ buffer: inout [UInt8]
) -> Bool {
    let isSending = connections[Int(socket)]?.hasUnsent == true
    let stays =
        isSending ? connections[Int(socket)]?.send() : connections[Int(socket)]?.receive(&buffer)
    if stays == true { return true }
    connections[Int(socket)] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog.
///
/// - Returns: False when there is no room for more. The rest stays in the backlog, so the listener
///   stays ready: do not ask for it again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [Client?]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let socket = try acceptOne(listener) {
            if socket < FD_SETSIZE {
                connections[Int(socket)] = Client(socket)
            } else {
                note("client \(socket) does not fit into an fd_set")
                close(socket)
            }
        }
        return true
    } catch {
        switch error.number {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return false
        default: throw error
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
        var sent = -1
        repeat {
            sent = sender.withSockaddr { sendto(socket, buffer, count, 0, $0, $1) }
        } while sent == -1 && errno == EINTR
    }
}
