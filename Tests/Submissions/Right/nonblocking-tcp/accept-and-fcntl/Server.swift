// Right: accept and then fcntl, write after SIGPIPE is ignored, a small buffer.

import CLinux
import Glibc

import struct Support.Errno

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    signal(SIGPIPE, SIG_IGN)
    try setNonblocking(listener)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 4096)
    var isFull = false
    while true {
        if !isFull { isFull = try !acceptClients(listener, &connections) }
        // A copy of the keys: proceed takes clients out of the dictionary meanwhile.
        for socket in Array(connections.keys) where !proceed(socket, &connections, &buffer) {
            isFull = false
        }
    }
    //< your part: serve
}

/// Moves one client on, if it can be: sends what is unsent, or echoes what has come.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    let isSending = connections[socket]?.hasUnsent == true
    let stays =
        isSending ? connections[socket]?.send() : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    // Forget it and close it together: the next client may get the same number.
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            connections[connection.socket] = connection
        }
        return true
    } catch {
        guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.number) else { throw error }
        // Without a client that could leave, the next turn may as well ask again.
        return connections.isEmpty
    }
    //< your part: acceptClients
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
            let count = rest.withUnsafeBytes {
                write(socket, $0.baseAddress, $0.count)
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
        let socket = accept(listener, nil, nil)
        if socket != -1 {
            try setNonblocking(socket)
            return Connection(socket)
        }
        switch errno {
        case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH,
            EHOSTDOWN, EHOSTUNREACH, ENONET:
            continue
        case EAGAIN: return nil
        default: throw Errno("accept")
        }
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
