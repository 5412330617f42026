// Right: ppoll, an array that doubles when it is full, of which it passes the rows up to the highest
// one used, and free rows (-1) that are used again.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    let unused = pollfd(fd: -1, events: 0, revents: 0)
    var rows = [pollfd](repeating: unused, count: 256)
    var clients = [Connection?](repeating: nil, count: 256)
    var free = Array((1..<rows.count).reversed())
    var buffer = [UInt8](repeating: 0, count: 4096)
    rows[0] = pollfd(fd: listener, events: Int16(POLLIN | POLLPRI), revents: 0)
    while true {
        // Not all of them: poll takes no more rows than the process may have descriptors.
        // While it is full and has no client, the clock says when to try again.
        var pause = timespec(tv_sec: 0, tv_nsec: 100_000_000)
        let isAlone = rows[0].events == 0 && free.count == rows.count - 1
        let ready =
            isAlone
            ? ppoll(&rows, nfds_t(used), &pause, nil) : ppoll(&rows, nfds_t(used), nil, nil)
        guard ready != -1 || errno == EINTR else { throw Errno("ppoll") }
        if ready == -1 { continue }
        if isAlone { isFull = false }
        var left = ready - (rows[0].revents != 0 ? 1 : 0)
        var index = 1
        while left > 0 {
            if rows[index].fd >= 0, rows[index].revents != 0 {
                left -= 1
                serve(index, &rows, &clients, &free, &buffer)
            }
            index += 1
        }
        if rows[0].revents != 0 { try accept(listener, &rows, &clients, &free) }
        // Not asked for while it is full; asked for again when a row is free once more.
        rows[0].events = Int16(isFull && free.count == freeWhenFull ? 0 : POLLIN)
    }
}

nonisolated(unsafe) var isFull = false
nonisolated(unsafe) var freeWhenFull = 0
nonisolated(unsafe) var used = 1

func serve(
    _ index: Int, _ rows: inout [pollfd], _ clients: inout [Connection?], _ free: inout [Int],
    _ buffer: inout [UInt8]
) {
    guard clients[index] != nil else { return }
    let isSending = clients[index]?.hasUnsent == true
    let stays = isSending ? clients[index]?.send() : clients[index]?.receive(&buffer)
    if stays == true {
        rows[index].events = Int16(clients[index]?.hasUnsent == true ? POLLOUT : POLLIN)
        return
    }
    close(rows[index].fd)
    rows[index] = pollfd(fd: -1, events: 0, revents: 0)
    clients[index] = nil
    free.append(index)
}

func accept(
    _ listener: CInt, _ rows: inout [pollfd], _ clients: inout [Connection?], _ free: inout [Int]
) throws(Errno) {
    isFull = false
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            if free.isEmpty {
                free = Array((rows.count..<2 * rows.count).reversed())
                rows += free.map { _ in pollfd(fd: -1, events: 0, revents: 0) }
                clients += free.map { _ in nil }
            }
            let next = free.removeLast()
            used = max(used, next + 1)
            clients[next] = connection
            rows[next] = pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0)
        }
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        isFull = true
    }
    freeWhenFull = free.count
}
