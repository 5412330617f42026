// Right: After the client's end it shuts its side down first, and a handler takes SIGPIPE; it
// writes a line to standard error for each client.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    do throws(Errno) {
        guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
            throw Errno("setsockopt")
        }
        let address = SocketAddress.loopback(port: port)
        guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
        guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
    } catch {
        close(listener)
        throw error
    }
    return listener
}

/// Accepts one client after the other, forever.
func serve(_ listener: CInt) throws(Errno) {
    // A handler that does nothing: the write then fails with EPIPE.
    signal(SIGPIPE) { _ in }
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            let error = Errno("accept")
            guard error.acceptFailure != .broken else { throw error }
            if error.acceptFailure == .noRoom { usleep(100_000) }
            continue
        }
        let error = echo(connection)
        note("client \(connection): \(error?.description ?? "served")")
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
            if end == -1 && errno != EINTR { return Errno("read") }
            end = max(end, 0)
        } else {
            let taken = buffer[start..<end].withUnsafeBytes {
                write(connection, $0.baseAddress, $0.count)
            }
            if taken == -1 && errno != EINTR { return Errno("write") }
            start += max(taken, 0)
        }
    }
}
