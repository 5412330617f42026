// Right: Its own clients with a queue of up to 256 KiB each, readv and sendmsg; it asks for
// both directions, and writes a line to standard output for each client.

import CLinux
import Glibc
import Nonblocking
import Support

/// A client with a queue of bytes. It reads on while the queue has room.
final class Client {
    static let room = 256 << 10
    let socket: CInt
    var queue: [UInt8] = []
    var hasEnded = false
    var isGone = false

    init(_ socket: CInt) { self.socket = socket }

    var events: Int16 {
        var events: CInt = 0
        if !hasEnded && queue.count < Client.room { events |= POLLIN }
        if !queue.isEmpty { events |= POLLOUT }
        return Int16(events)
    }

    func read() {
        var first = [UInt8](repeating: 0, count: 3000)
        var second = [UInt8](repeating: 0, count: 30_000)
        let count = first.withUnsafeMutableBytes { one in
            second.withUnsafeMutableBytes { two in
                var parts = [
                    iovec(iov_base: one.baseAddress, iov_len: one.count),
                    iovec(iov_base: two.baseAddress, iov_len: two.count),
                ]
                return readv(socket, &parts, 2)
            }
        }
        if count == 0 { hasEnded = true }
        if count == -1 && errno != EAGAIN && errno != EINTR { isGone = true }
        if count > 0 { queue += (first + second).prefix(count) }
    }

    func write() {
        guard !queue.isEmpty else { return }
        let count = queue.withUnsafeMutableBytes { bytes in
            var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return withUnsafeMutablePointer(to: &part) { part in
                var message = msghdr()
                message.msg_iov = part
                message.msg_iovlen = 1
                return sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
            }
        }
        if count == -1 && errno != EAGAIN && errno != EINTR { isGone = true }
        if count > 0 { queue.removeFirst(count) }
    }
}

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    // The listener's row is the last one, so that clients and rows have the same indices.
    var clients: [Client] = []
    var isFull = false
    while true {
        var rows = clients.map { pollfd(fd: $0.socket, events: $0.events, revents: 0) }
        rows.append(pollfd(fd: isFull ? -1 : listener, events: Int16(POLLIN), revents: 0))
        guard poll(&rows, nfds_t(rows.count), -1) != -1 else {
            guard errno == EINTR else { throw Errno("poll") }
            continue
        }
        for (client, row) in zip(clients, rows) where row.revents != 0 {
            if Int32(row.revents) & (POLLIN | POLLHUP | POLLERR) != 0 { client.read() }
            client.write()
            if client.hasEnded && client.queue.isEmpty { client.isGone = true }
            if client.isGone {
                close(client.socket)
                isFull = false
            }
        }
        clients.removeAll { $0.isGone }
        if rows.last?.revents != 0 {
            do throws(Errno) {
                while let connection = try acceptConnection(listener) {
                    let line = "client \(connection.socket) has come\n"
                    write(STDOUT_FILENO, line, line.utf8.count)
                    clients.append(Client(connection.socket))
                }
            } catch {
                guard error.acceptFailure == .noRoom else { throw error }
                // Without a client nobody can leave: then only the clock says when to try again.
                isFull = !clients.isEmpty
                if !isFull { pauseForRoom() }
            }
        }
    }
}
