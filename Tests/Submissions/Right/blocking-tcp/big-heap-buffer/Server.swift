// Right: A buffer of 1 MiB from the heap that all clients use in turn, and SIGPIPE blocked, not
// ignored.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    var isReady = false
    defer { if !isReady { close(listener) } }
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
        throw Errno("setsockopt")
    }
    let address = SocketAddress.loopback(port: port)
    guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
    guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
    isReady = true
    return listener
}

/// Accepts one client after the other, forever.
func serve(_ listener: CInt) throws(Errno) {
    // A blocked signal stays pending, and the write fails with EPIPE.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            switch errno {
            case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN,
                ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET:
                continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // No room: only the clock says when to try again.
                poll(nil, 0, 100)
                continue
            default: throw Errno("accept")
            }
        }
        var isOpen = true
        while isOpen { isOpen = echo(connection, buffer) }
        close(connection)
    }
}

/// Echoes one read. False when the client has finished or is gone.
private func echo(_ connection: CInt, _ buffer: UnsafeMutableRawBufferPointer) -> Bool {
    let count = read(connection, buffer.baseAddress, buffer.count)
    guard count > 0 else { return count == -1 && errno == EINTR }
    var written = 0
    while written < count {
        let rest = UnsafeRawBufferPointer(rebasing: buffer[written..<count])
        let taken = write(connection, rest.baseAddress, rest.count)
        guard taken != -1 || errno == EINTR else { return false }
        written += max(taken, 0)
    }
    return true
}
