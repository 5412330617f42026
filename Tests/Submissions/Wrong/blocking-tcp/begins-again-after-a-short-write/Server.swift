// Caught by: blocking-tcp.testGoesOnAfterAShortWrite
// Says: go on with the rest
// The mistake: After a short write it goes on with the right number of bytes, but from the first one.

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
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            if errno == EINTR || errno == ECONNABORTED { continue }
            throw .current
        }
        do throws(Errno) {
            try echo(connection)
        } catch {
            note("client \(connection): \(error)")
        }
        close(connection)
    }
}

/// Sends everything back until the client sends no more.
func echo(_ connection: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(connection, &buffer, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        var written = 0
        while written < count {
            let taken = write(connection, buffer, count - written)
            guard taken != -1 || errno == EINTR else { throw .current }
            written += max(taken, 0)
        }
    }
}
