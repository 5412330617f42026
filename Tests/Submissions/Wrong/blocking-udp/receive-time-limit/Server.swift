// Caught by: blocking-udp.testSleepsUntilADatagramComes
// Says: SO_RCVTIMEO
// The mistake: It gives recvfrom a time limit, and asks again whenever that has passed.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var limit = timeval(tv_sec: 0, tv_usec: 200_000)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR || errno == EAGAIN { continue }
            throw .current
        }
        let sent = sender.withSockaddr { address, length in
            sendto(socket, buffer, count, 0, address, length)
        }
        if sent == -1 { note("sendto \(sender): \(Errno.current)") }
    }
}
