// Right: It asks for POLLRDHUP and reads until 0 all the same; clients and rows are parallel
// arrays.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    var rows = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    var clients: [Connection] = []  // The client of row n is clients[n - 1].
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        guard poll(&rows, nfds_t(rows.count), -1) >= 0 else {
            if errno == EINTR { continue }
            throw Errno("poll")
        }
        let known = clients.count
        // A broken listener says POLLHUP, without POLLIN: accept then tells the reason.
        if rows[0].revents != 0 {
            try accept(listener, &rows, &clients)
        }
        for index in (0..<known).reversed() {
            let revents = Int32(rows[index + 1].revents)
            var stays = true
            if revents & POLLOUT != 0, clients[index].hasUnsent { stays = clients[index].send() }
            if stays, revents & (POLLIN | POLLRDHUP) != 0, !clients[index].hasUnsent {
                stays = clients[index].receive(&buffer)
            }
            if revents & (POLLHUP | POLLERR | POLLNVAL) != 0, revents & POLLIN == 0 {
                stays = false
            }
            if stays {
                let events = clients[index].hasUnsent ? POLLOUT : POLLIN | POLLRDHUP
                rows[index + 1].events = Int16(events)
            } else {
                close(clients[index].socket)
                clients.remove(at: index)
                rows.remove(at: index + 1)
                rows[0].fd = listener
            }
        }
    }
}

func accept(
    _ listener: CInt, _ rows: inout [pollfd], _ clients: inout [Connection]
) throws(Errno) {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            clients.append(connection)
            let events = Int16(POLLIN | POLLRDHUP)
            rows.append(pollfd(fd: connection.socket, events: events, revents: 0))
        }
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        // Without a client nobody can leave: then only the clock says when to try again.
        if clients.isEmpty { pauseForRoom() } else { rows[0].fd = -1 }
    }
}
