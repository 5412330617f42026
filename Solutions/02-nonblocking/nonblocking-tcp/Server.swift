// Exercise nonblocking-tcp: a TCP echo server that asks every client in turn, and never waits.
// Read chapters/02-nonblocking.md first. Try it with: swift test --filter NonblockingTcp

import CLinux
import Glibc

// Support has a Connection, too, for the chapters after this one. Here you write your own.
import struct Support.Errno
import func Support.note
import func Support.unwritten

/// Serves all clients in one thread, for ever.
///
/// - Parameter listener: A listening TCP socket, which would wait.
/// - Throws: The `Errno` of a call that shows that the listener is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
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
    //< your part: serve
}

/// Moves one client on, if it can be: sends what is unsent, or echoes what has come.
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
    // Forget it and close it together: the next client may get the same number.
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
///
/// - Returns: False when this process has no descriptor left. The rest stays in the backlog: it is
///   of no use to ask again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
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
        guard error.rawValue == EMFILE else { throw error }
        return false
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
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    /// - Returns: False when the client has finished or is gone: then close its socket.
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
///
/// - Parameter listener: A listening socket that does not wait (O_NONBLOCK).
/// - Returns: The client, whose socket does not wait, either; or nil when nobody is there.
/// - Throws: `EMFILE` when this process has no descriptor left: the client stays in the backlog.
///   Any other `Errno` means that the listener itself is broken.
func acceptConnection(_ listener: CInt) throws(Errno) -> Connection? {
    //> your part: acceptConnection
    while true {
        // A connection does not inherit O_NONBLOCK from its listener. accept4 sets it at once.
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = accept4(listener, nil, nil, flags)
        if socket != -1 { return Connection(socket) }
        switch errno {
        case EINTR, ECONNABORTED: continue
        case EAGAIN: return nil
        default: throw .current
        }
    }
    //< your part: acceptConnection
}

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead.
///
/// - Throws: The `Errno` of fcntl, if `descriptor` is not open.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    //> your part: setNonblocking
    let flags = fcntl(descriptor, F_GETFL)
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw .current
    }
    //< your part: setNonblocking
}
