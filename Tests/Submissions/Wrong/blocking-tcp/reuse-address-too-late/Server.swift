// Caught by: blocking-tcp.testRestartsOnItsPort
// Says: Address already in use
// Cause: before bind
// The mistake: It sets SO_REUSEADDR after bind, which has refused the port by then.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    let address = SocketAddress.loopback(port: port)
    guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
        throw Errno("setsockopt")
    }
    guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
    return listener
}

/// Accepts one client after the other, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            let error = Errno("accept")
            switch error.acceptFailure {
            case .tryNext: continue
            case .noRoom: pauseForRoom()
            case .broken: throw error
            }
            continue
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
            throw Errno("read")
        }
        try writeAll(connection, buffer[..<count])
    }
}

/// Writes all of `bytes`, however often that takes.
private func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        guard count != -1 || errno == EINTR else { throw Errno("write") }
        rest = rest.dropFirst(max(count, 0))
    }
}
