// Right: It reads ahead, up to a megabyte for each client, and closes when all of that is sent.

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var isFull = false
    while true {
        if !isFull { isFull = try !acceptClients(listener, &connections) }
        // A copy of the keys: proceed takes clients out of the dictionary meanwhile.
        for socket in Array(connections.keys) where !proceed(socket, &connections, &buffer) {
            isFull = false
        }
    }
}

/// Moves one client on: reads ahead if there is room, and sends.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    if connections[socket]?.proceed(&buffer) == true { return true }
    connections[socket] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            connections[connection.socket] = connection
        }
        return true
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        // Without a client that could leave, the next turn may as well ask again.
        return connections.isEmpty
    }
}

/// A client: what it has sent and not yet got back, and whether it has finished.
struct Connection {
    let socket: CInt
    private var ahead: [UInt8] = []
    private var isOver = false
    private static let limit = 1 << 20

    init(_ socket: CInt) { self.socket = socket }

    /// - Returns: False when the client has finished and got everything, or is gone.
    mutating func proceed(_ buffer: inout [UInt8]) -> Bool {
        if !isOver, ahead.count < Self.limit {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count > 0 { ahead += buffer[..<count] }
            if count == 0 { isOver = true }
            if count == -1, errno != EAGAIN, errno != EINTR { return false }
        }
        while !ahead.isEmpty {
            let count = Glibc.send(socket, ahead, ahead.count, Int32(MSG_NOSIGNAL))
            if count == -1, errno == EINTR { continue }
            if count == -1 { return errno == EAGAIN }
            ahead.removeFirst(count)
        }
        return !isOver
    }
}

/// Takes the next client out of the backlog, without waiting for one.
func acceptConnection(_ listener: CInt) throws(Errno) -> Connection? {
    while true {
        // A connection does not inherit O_NONBLOCK from its listener. accept4 sets it at once.
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = accept4(listener, nil, nil, flags)
        if socket != -1 { return Connection(socket) }
        let error = Errno("accept4")
        if error.number == EAGAIN { return nil }
        if error.acceptFailure != .tryNext { throw error }
    }
}

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
}
