// Right: An array that is walked from its end, so that a removal moves nobody who is still to come.

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    try setNonblocking(listener)
    var connections: [Connection] = []
    var buffer = [UInt8](repeating: 0, count: 32_768)
    while true {
        try acceptOne(listener, &connections)
        for index in connections.indices.reversed() {
            let stays =
                connections[index].hasUnsent
                ? connections[index].send() : connections[index].receive(&buffer)
            if stays { continue }
            close(connections[index].socket)
            connections.remove(at: index)
        }
    }
    //< your part: serve
}

/// Takes one client, if one waits in the backlog.
func acceptOne(_ listener: CInt, _ connections: inout [Connection]) throws(Errno) {
    do throws(Errno) {
        if let connection = try acceptConnection(listener) { connections.append(connection) }
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
    }
}

/// A client: its nonblocking socket, and the bytes that it is still owed.
struct Connection {
    /// The connection's descriptor. Whoever removes the connection closes it.
    let socket: CInt
    private var unsent: [UInt8] = []

    /// Wraps a connected socket that does not wait (O_NONBLOCK).
    init(_ socket: CInt) { self.socket = socket }

    /// Whether bytes wait for room in the socket. As long as they do, nothing more is read.
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Reads once, and sends back as much as there is room for. Call it while nothing is unsent.
    mutating func receive(_ buffer: inout [UInt8]) -> Bool {
        //> your part: receive
        let count = read(socket, &buffer, buffer.count)
        if count > 0 { return send(buffer[..<count]) }
        // Nothing has come yet, or a signal came first: no reason to give the client up.
        return count == -1 && (errno == EAGAIN || errno == EINTR)
        //< your part: receive
    }

    /// Sends as much of the unsent bytes as there is room for.
    /// - Returns: False when the client is gone: then close its socket.
    mutating func send() -> Bool { send(unsent[...]) }

    /// Sends as much of `bytes` as there is room for, and keeps the rest.
    private mutating func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        //> your part: send
        var rest = bytes
        while !rest.isEmpty {
            // MSG_NOSIGNAL: a client that is gone gives EPIPE, not SIGPIPE. See send(2).
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count == -1 && errno == EINTR { continue }
            // No room. Trying again here would keep all others waiting: it is for the next turn.
            if count == -1 && errno == EAGAIN { break }
            guard count != -1 else { return false }
            rest = rest.dropFirst(count)
        }
        // Most turns of a full socket send nothing: then there is nothing to copy, either.
        if rest.count != unsent.count { unsent = Array(rest) }
        return true
        //< your part: send
    }
}

/// Takes the next client out of the backlog, without waiting for one.
func acceptConnection(_ listener: CInt) throws(Errno) -> Connection? {
    //> your part: acceptConnection
    while true {
        // A connection does not inherit O_NONBLOCK from its listener. accept4 sets it at once.
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = accept4(listener, nil, nil, flags)
        if socket != -1 { return Connection(socket) }
        let error = Errno("accept4")
        if error.number == EAGAIN { return nil }
        if error.acceptFailure != .tryNext { throw error }
    }
    //< your part: acceptConnection
}

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    //> your part: setNonblocking
    let flags = fcntl(descriptor, F_GETFL)
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
    //< your part: setNonblocking
}
