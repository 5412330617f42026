// Right: Each thread detaches itself; recv, and send with MSG_NOSIGNAL; accept4; a buffer of 512
// bytes.

import CLinux
import Glibc
import Support

/// Errors of accept that concern one client only.
private let lost: Set<CInt> = [
    EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH, EHOSTDOWN,
    EHOSTUNREACH, ENONET,
]

/// Errors of accept that say that there is no room.
private let noRoom: Set<CInt> = [EMFILE, ENFILE, ENOBUFS, ENOMEM]

/// Accepts clients forever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    while true {
        let connection = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
        if connection == -1 {
            let error = Errno("accept4")
            if lost.contains(error.number) { continue }
            guard noRoom.contains(error.number) else { throw error }
            var pause = timespec(tv_sec: 0, tv_nsec: 100_000_000)
            nanosleep(&pause, nil)
            continue
        }
        let thread = try? createThread {
            pthread_detach(pthread_self())
            echo(connection)
        }
        if thread == nil { close(connection) }
    }
}

/// Sends everything back until the client sends no more, and closes the connection.
func echo(_ connection: CInt) {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
        while true {
            let count = recv(connection, buffer.baseAddress, buffer.count, 0)
            if count == -1 && errno == EINTR { continue }
            if count <= 0 { break }
            var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            while !rest.isEmpty {
                let sent = send(connection, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                if sent == -1 && errno != EINTR { break }
                rest = UnsafeRawBufferPointer(rebasing: rest[max(sent, 0)...])
            }
            if !rest.isEmpty { break }
        }
    }
    close(connection)
}
