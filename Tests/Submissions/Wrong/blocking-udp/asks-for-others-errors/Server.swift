// Caught by: blocking-udp.testSurvivesASenderThatIsGone
// Says: Connection refused
// The mistake: IP_RECVERR makes one sender's error come out of recvfrom, and that ends the server.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    // So that replies which cannot be delivered are noticed. See ip(7).
    var yes: CInt = 1
    setsockopt(socket, Int32(IPPROTO_IP), IP_RECVERR, &yes, socklen_t(MemoryLayout<CInt>.size))
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    while true {
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
