// Right: A client type of its own, with the whole of receiving and sending.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    try setNonblocking(listener)
    var connections: [CInt: Client] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var rows = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    while true {
        guard poll(&rows, nfds_t(rows.count), -1) != -1 else {
            if errno == EINTR { continue }
            throw Errno("poll")
        }
        for index in rows.indices.dropFirst().reversed() where rows[index].revents != 0 {
            let socket = rows[index].fd
            if proceed(socket, &connections, &buffer) {
                let isOwed = connections[socket]?.unsent.isEmpty == false
                rows[index].events = Int16(isOwed ? POLLOUT : POLLIN)
            } else {
                rows.swapAt(index, rows.count - 1)
                rows.removeLast()
                rows[0].fd = listener
            }
        }
        if rows[0].revents != 0, try !acceptClients(listener, &connections, &rows) {
            rows[0].fd = -1
        }
    }
    //< your part: serve
}

/// Moves one client on, now that its socket is ready.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Client], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    let isSending = connections[socket]?.unsent.isEmpty == false
    let unsent = connections[socket]?.unsent ?? []
    let stays =
        isSending ? connections[socket]?.send(unsent) : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog, and gives each a row. False when there is no room
/// for some of them before a client has left.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Client], _ rows: inout [pollfd]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            connections[connection.socket] = Client(socket: connection.socket)
            rows.append(pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0))
        }
        return true
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        if connections.isEmpty { pauseForRoom() }
        return connections.isEmpty
    }
    //< your part: acceptClients
}

/// A client, and the bytes that it is owed.
struct Client {
    let socket: CInt
    var unsent: [UInt8] = []

    mutating func receive(_ buffer: inout [UInt8]) -> Bool {
        let count = read(socket, &buffer, buffer.count)
        if count > 0 { return send(Array(buffer[..<count])) }
        return count == -1 && (errno == EAGAIN || errno == EINTR)
    }

    mutating func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
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
