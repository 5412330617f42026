// Right: A buffer of 512 bytes, and a result of echo instead of an error.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
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
    var ignore = sigaction()
    ignore.__sigaction_handler.sa_handler = SIG_IGN
    sigaction(SIGPIPE, &ignore, nil)
    while true {
        let connection = accept(listener, nil, nil)
        if connection >= 0 {
            echo(connection)
            close(connection)
            continue
        }
        switch errno {
        case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP: break
        case ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET: break
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: pauseForRoom()
        default: throw Errno("accept")
        }
    }
}

/// Sends everything back until the client sends no more, or is gone.
func echo(_ connection: CInt) {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
        while true {
            let count = read(connection, buffer.baseAddress, buffer.count)
            if count == -1 && errno == EINTR { continue }
            if count <= 0 { return }
            var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            while !rest.isEmpty {
                let taken = write(connection, rest.baseAddress, rest.count)
                if taken == -1 && errno == EINTR { continue }
                if taken == -1 { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            }
        }
    }
}
