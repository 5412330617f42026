// Right: After the client's end it shuts its side down first, and a handler takes SIGPIPE.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener != -1 else { throw .current }
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else { throw .current }
    let address = SocketAddress.loopback(port: port)
    guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw .current }
    guard listen(listener, SOMAXCONN) != -1 else { throw .current }
    return listener
}

/// Accepts one client after the other, for ever.
func serve(_ listener: CInt) throws(Errno) {
    // A handler that does nothing: the write then fails with EPIPE.
    signal(SIGPIPE) { _ in }
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            if errno == EINTR || errno == ECONNABORTED { continue }
            throw .current
        }
        let error = echo(connection)
        if let error { note("client \(connection): \(error)") }
        shutdown(connection, Int32(SHUT_WR))
        close(connection)
    }
}

/// Sends everything back until the client sends no more.
/// - Returns: Why it could not, or nil.
func echo(_ connection: CInt) -> Errno? {
    // Echo at once, also what is small. See tcp(7).
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
    var buffer = [UInt8](repeating: 0, count: 3000)
    var start = 0
    var end = 0
    while true {
        if start == end {
            end = read(connection, &buffer, buffer.count)
            start = 0
            if end == 0 { return nil }
            if end == -1 && errno != EINTR { return .current }
            end = max(end, 0)
        } else {
            let taken = buffer[start..<end].withUnsafeBytes {
                write(connection, $0.baseAddress, $0.count)
            }
            if taken == -1 && errno != EINTR { return .current }
            start += max(taken, 0)
        }
    }
}
