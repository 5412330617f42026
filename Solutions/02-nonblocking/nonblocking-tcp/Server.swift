// Exercise nonblocking-tcp: a TCP echo server that asks every client in turn, and never waits.
// Read chapters/02-nonblocking.md first. Try it with: swift test --filter NonblockingTcp

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, forever.
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
        if !isFull { isFull = try acceptClients(listener, &connections) }
        for socket in connections.keys where !proceed(socket, &connections, &buffer) {
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
    if connections[socket]?.proceed(&buffer) == true { return true }
    // Forget it and close it together: the next client may get the same number.
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
            connections[connection.socket] = connection
        }
        return false
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        // Without a client that could leave, the next turn may as well ask again.
        return !connections.isEmpty
    }
    //< your part: acceptClients
}

/// A client: its nonblocking socket, and the bytes that are still to be sent to it.
final class Connection {
    /// The connection's descriptor. Whoever removes the connection closes it.
    let socket: CInt
    private var unsent: [UInt8] = []

    /// Wraps a connected socket that does not wait (O_NONBLOCK).
    init(_ socket: CInt) { self.socket = socket }

    /// Whether bytes wait for room in the socket. As long as they do, nothing more is read.
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Moves the client on: sends what is unsent, or else echoes what has come.
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    /// - Returns: False when the client has finished or is gone: then close its socket.
    func proceed(_ buffer: inout [UInt8]) -> Bool {
        hasUnsent ? send() : receive(&buffer)
    }

    /// Reads once, and sends back as much as there is room for. Call it while nothing is unsent.
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    /// - Returns: False when the client has finished or is gone: then close its socket.
    func receive(_ buffer: inout [UInt8]) -> Bool {
        //> your part: receive
        while true {
            let count = read(socket, &buffer, buffer.count)
            guard count != -1 else {
                if errno == EINTR { continue }
                // Nothing has come yet: no reason to give the client up.
                return errno == EAGAIN
            }
            return count > 0 && send(buffer[..<count])
        }
        //< your part: receive
    }

    /// Sends as much of the unsent bytes as there is room for.
    /// - Returns: False when the client is gone: then close its socket.
    func send() -> Bool { send(unsent[...]) }

    /// Sends as much of `bytes` as there is room for, and keeps the rest.
    private func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        //> your part: send
        var rest = bytes
        while !rest.isEmpty {
            // MSG_NOSIGNAL: a client that is gone gives EPIPE, not SIGPIPE. See send(2).
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count != -1 else {
                if errno == EINTR { continue }
                // No room. Trying again here would keep others waiting: it is for the next turn.
                if errno == EAGAIN { break }
                return false
            }
            rest = rest.dropFirst(count)
        }
        // Often a full socket takes nothing: then there is nothing to copy either.
        if rest.count != unsent.count { unsent = Array(rest) }
        return true
        //< your part: send
    }
}

/// Takes the next client out of the backlog, without waiting for one.
///
/// - Parameter listener: A listening socket that does not wait (O_NONBLOCK).
/// - Returns: The client, whose socket does not wait either; or nil when nobody is there.
/// - Throws: The `Errno` of the accept, unless its `acceptFailure` says to try the next client.
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

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead. You wrote
/// it in nonblocking-udp.
///
/// - Throws: The `Errno` of fcntl, if `descriptor` is not open.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    let flags = fcntl(descriptor, F_GETFL)
    // Read first, then add one flag: F_SETFL with O_NONBLOCK alone would clear the others.
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
}
