// Caught by: blocking-tcp.testUsesTheCallsOfTheModel
// Says: is in poll
// Cause: poll
// The mistake: One poll waits for the listener and for all clients, which is another model.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
        throw Errno("setsockopt")
    }
    let address = SocketAddress.loopback(port: port)
    guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
    guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
    return listener
}

/// Accepts clients and echoes to all of them, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    var entries = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    while true {
        guard poll(&entries, nfds_t(entries.count), -1) != -1 else { throw Errno("poll") }
        for entry in entries where entry.revents != 0 {
            if entry.fd == listener {
                let connection = accept(listener, nil, nil)
                guard connection != -1 else { throw Errno("accept") }
                entries.append(pollfd(fd: connection, events: Int16(POLLIN), revents: 0))
            } else if !echo(entry.fd) {
                entries.removeAll { $0.fd == entry.fd }
                close(entry.fd)
            }
        }
    }
}

/// Sends back what has come. False when the client is done.
func echo(_ connection: CInt) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(connection, &buffer, buffer.count)
    guard count > 0 else { return false }
    do throws(Errno) {
        try writeAll(connection, buffer[..<count])
        return true
    } catch {
        note("client \(connection): \(error)")
        return false
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
