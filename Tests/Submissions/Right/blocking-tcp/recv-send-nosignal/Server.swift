// Right: recv, and send with MSG_NOSIGNAL instead of an ignored SIGPIPE; accept4.

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

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    func failure(_ call: String) -> Errno {
        let reason = Errno(call)
        close(listener)
        return reason
    }
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
        throw failure("setsockopt")
    }
    let address = SocketAddress.loopback(port: port)
    guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw failure("bind") }
    guard listen(listener, SOMAXCONN) != -1 else { throw failure("listen") }
    return listener
}

/// Accepts one client after the other, forever.
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
        defer { close(connection) }
        try? echo(connection)
    }
}

/// Sends everything back until the client sends no more.
func echo(_ connection: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = recv(connection, &buffer, buffer.count, 0)
        switch count {
        case 0: return
        case -1 where errno == EINTR: continue
        case -1: throw Errno("recv")
        default: try sendAll(connection, buffer[..<count])
        }
    }
}

private func sendAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes {
            send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count == -1 {
            if errno == EINTR { continue }
            throw Errno("send")
        }
        rest = rest.dropFirst(count)
    }
}
