// Exercise blocking-tcp: a TCP echo server that serves one client at a time.
// Read chapters/01-blocking.md first. Try it with: swift test --filter BlockingTcp

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
///
/// - Parameter port: The port, or 0 to let the kernel choose.
/// - Returns: The listening descriptor.
/// - Throws: The `Errno` of the call that failed. Then no descriptor is left open.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    //> your part: makeListener
    // SOCK_CLOEXEC: a program that this one might start does not inherit the descriptor.
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    do throws(Errno) {
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        // Without this, connections of an earlier run keep the port for a minute: TIME_WAIT.
        guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
            throw Errno("setsockopt")
        }
        let address = SocketAddress.loopback(port: port)
        guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
        guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
        return listener
    } catch {
        close(listener)
        throw error
    }
    //< your part: makeListener
}

/// Accepts one client after the other and echoes to each until it has finished, forever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // A write to a client that is gone would end the process by SIGPIPE. Now it fails with EPIPE.
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
    //< your part: serve
}

/// Sends everything back that the client sends, until it sends no more.
///
/// - Parameter connection: A connected TCP socket.
/// - Throws: The `Errno` of the read or write that failed.
func echo(_ connection: CInt) throws(Errno) {
    //> your part: echo
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
    //< your part: echo
}

/// Writes all of `bytes`. write(2) may take only a part of them, when a signal interrupts it, say.
///
/// - Throws: The `Errno` of write.
func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    //> your part: writeAll
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("write")
        }
        rest = rest.dropFirst(count)
    }
    //< your part: writeAll
}
