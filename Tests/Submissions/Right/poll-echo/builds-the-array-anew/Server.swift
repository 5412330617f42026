// Right: The array is built anew in each turn, from the connections. That costs no call.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 16_384)
    var isFull = false
    while true {
        var rows = connections.values.map { connection in
            let events = connection.hasUnsent ? POLLOUT : POLLIN
            return pollfd(fd: connection.socket, events: Int16(events), revents: 0)
        }
        if !isFull { rows.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0)) }
        // Full, and nobody can leave: then the clock says when to try again.
        let isAlone = isFull && connections.isEmpty
        if poll(&rows, nfds_t(rows.count), isAlone ? 100 : -1) == -1 {
            if errno == EINTR { continue }
            throw Errno("poll")
        }
        if isAlone { isFull = false }
        for row in rows where row.revents != 0 {
            if row.fd == listener {
                isFull = try !accept(from: listener, &connections)
            } else if !proceed(row.fd, &connections, &buffer) {
                isFull = false
            }
        }
    }
}

func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    guard let connection = connections.removeValue(forKey: socket) else { return true }
    if connection.hasUnsent ? connection.send() : connection.receive(&buffer) {
        connections[socket] = connection
        return true
    }
    close(socket)
    return false
}

func accept(
    from listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            connections[connection.socket] = connection
        }
        return true
    } catch {
        switch error.number {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return false
        default: throw error
        }
    }
}
