// Caught by: blocking-tcp.testWaitsInReadOrAccept
// Says: The server's one thread is
// The mistake: It asks with MSG_DONTWAIT, and sleeps for 20 ms whenever nothing has come.

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
        let count = recv(connection, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            if errno == EAGAIN {
                usleep(20_000)
                continue
            }
            throw .current
        }
        try writeAll(connection, buffer[..<count])
    }
}

/// Writes all of `bytes`, however often that takes.
private func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        guard count != -1 || errno == EINTR else { throw .current }
        rest = rest.dropFirst(max(count, 0))
    }
}
