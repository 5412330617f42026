// Caught by: poll-echo.testGoesOnWhenDescriptorsRunOut
// Says: Too many open files
// The mistake: EMFILE of accept is thrown out of serve, and ends it for all.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    var connections: [CInt: Connection] = [:]
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
                let isOwed = connections[socket]?.hasUnsent == true
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
}

/// Moves one client on, now that its socket is ready.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    let isSending = connections[socket]?.hasUnsent == true
    let stays =
        isSending ? connections[socket]?.send() : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    connections[socket] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog, and gives each a row.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection], _ rows: inout [pollfd]
) throws(Errno) -> Bool {
    while let connection = try acceptConnection(listener) {
        connections[connection.socket] = connection
        rows.append(pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0))
    }
    return true
}
