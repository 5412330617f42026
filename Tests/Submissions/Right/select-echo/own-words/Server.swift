// Right: its own set of sixteen words, nfds in whole words, and writev with SIGPIPE ignored.

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
        let count = read(socket, &buffer, buffer.count)
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
                return writev(socket, &part, 1)
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

/// A set of descriptors, as sixteen words.
struct DescriptorSet {
    var words = [UInt64](repeating: 0, count: Int(FD_SETSIZE) / 64)

    mutating func insert(_ descriptor: CInt) {
        words[Int(descriptor) / 64] |= 1 << UInt64(descriptor % 64)
    }

    /// The descriptors, from the lowest on.
    var members: [CInt] {
        words.indices.flatMap { index in
            var found: [CInt] = []
            var rest = words[index]
            while rest != 0 {
                found.append(CInt(index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
            return found
        }
    }
}

/// select(2) on two such sets.
func select(_ count: CInt, _ first: inout DescriptorSet, _ second: inout DescriptorSet) -> CInt {
    first.words.withUnsafeMutableBytes { first in
        second.words.withUnsafeMutableBytes { second in
            select(
                count, first.baseAddress?.assumingMemoryBound(to: fd_set.self),
                second.baseAddress?.assumingMemoryBound(to: fd_set.self), nil, nil)
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
    signal(SIGPIPE, SIG_IGN)
    try setNonblocking(listener)
    try setNonblocking(datagrams)
    var connections: [CInt: Client] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var isFull = false
    while true {
        var readable = DescriptorSet()
        var writable = DescriptorSet()
        if !isFull { readable.insert(listener) }
        readable.insert(datagrams)
        for (socket, connection) in connections {
            if connection.hasUnsent { writable.insert(socket) } else { readable.insert(socket) }
        }
        let highest = max(listener, datagrams, connections.keys.max() ?? 0)
        guard select((highest / 64 + 1) * 64, &readable, &writable) != -1 else {
            if errno == EINTR { continue }  // The sets mean nothing now.
            throw Errno("select")
        }
        let named = readable.members
        let ready = (named + writable.members).filter { connections[$0] != nil }
        for socket in ready where !proceed(socket, &connections, &buffer) { isFull = false }
        if named.contains(datagrams) { echoDatagrams(datagrams, &buffer) }
        if named.contains(listener) {
            isFull = try !acceptClients(listener, &connections)
        }
    }
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what has
/// come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Client], _ buffer: inout [UInt8]
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
/// - Returns: False when there is no room for more, and a client could make some. The rest stays in
///   the backlog, so the listener stays ready: do not ask for it again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Client]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
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
        if connections.isEmpty { pauseForRoom() }
        return connections.isEmpty
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
        while sender.withSockaddr({ sendto(socket, buffer, count, 0, $0, $1) }) == -1 {
            if errno != EINTR { break }
        }
    }
}
