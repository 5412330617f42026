// Right: Blocking sockets and MSG_DONTWAIT, one accept in each turn, removal after the walk
// from the end.

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    try setNonblocking(listener)
    var rows = ContiguousArray([pollfd(fd: listener, events: Int16(POLLIN), revents: 0)])
    var owed: [CInt: ArraySlice<UInt8>] = [:]
    while true {
        let count = rows.withUnsafeMutableBufferPointer {
            poll($0.baseAddress, nfds_t($0.count), -1)
        }
        if count == -1 && errno == EINTR { continue }
        if count == -1 { throw Errno("poll") }
        var gone: [Int] = []
        var index = 1
        while index < rows.count {
            if rows[index].revents != 0, !turn(&rows[index], &owed) { gone.append(index) }
            index += 1
        }
        let isReady = rows[0].revents != 0
        for index in gone.reversed() {
            let row = rows.remove(at: index)
            owed[row.fd] = nil
            close(row.fd)
            rows[0].events = Int16(POLLIN)
        }
        if isReady, let row = try next(listener, &rows[0]) { rows.append(row) }
        if rows[0].events == 0, rows.count == 1 {
            // Nobody can leave, so nothing will tell when there is room again.
            usleep(100_000)
            rows[0].events = Int16(POLLIN)
        }
    }
}

func next(_ listener: CInt, _ row: inout pollfd) throws(Errno) -> pollfd? {
    let socket = accept(listener, nil, nil)
    if socket != -1 { return pollfd(fd: socket, events: Int16(POLLIN), revents: 0) }
    switch errno {
    case EAGAIN: break
    // What has happened to this one client on the network. The next one follows in the next turn.
    case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH,
        EHOSTDOWN, EHOSTUNREACH, ENONET:
        break
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: row.events = 0
    default: throw Errno("accept")
    }
    return nil
}

func turn(_ row: inout pollfd, _ owed: inout [CInt: ArraySlice<UInt8>]) -> Bool {
    let flags = Int32(MSG_DONTWAIT)
    if owed[row.fd] == nil {
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = recv(row.fd, &buffer, buffer.count, flags)
        if count == -1 { return errno == EAGAIN || errno == EINTR }
        if count == 0 { return false }
        owed[row.fd] = buffer[..<count]
    }
    let rest = owed[row.fd] ?? []
    let taken = rest.withUnsafeBytes { send(row.fd, $0.baseAddress, $0.count, flags) }
    if taken == -1 && errno != EAGAIN && errno != EINTR { return false }
    let left = rest.dropFirst(max(taken, 0))
    owed[row.fd] = left.isEmpty ? nil : left
    row.events = Int16(left.isEmpty ? POLLIN : POLLOUT)
    return true
}
