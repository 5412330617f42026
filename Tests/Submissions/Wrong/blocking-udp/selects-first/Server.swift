// Caught by: blocking-udp.testWaitsInRecvfrom
// Says: in pselect6
// The mistake: It waits in select and calls recvfrom only then, which is another model.

import CLinux
import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    while true {
        var readable = fd_set()
        FD_SET(socket, &readable)
        guard select(socket + 1, &readable, nil, nil, nil) != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        let sent = sender.withSockaddr { address, length in
            sendto(socket, buffer, count, 0, address, length)
        }
        if sent == -1 { note("sendto \(sender): \(Errno.current)") }
    }
}
