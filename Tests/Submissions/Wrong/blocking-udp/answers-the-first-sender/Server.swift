// Caught by: blocking-udp.testAnswersTheRightSender
// Says: sent none to sender 3
// The mistake: It keeps the address of the first datagram and sends everything there.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var partner: SocketAddress?
    while true {
        var sender = SocketAddress()
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        if partner == nil { partner = sender }
        let sent = partner?.withSockaddr { address, length in
            sendto(socket, buffer, count, 0, address, length)
        }
        if sent == -1 { note("sendto: \(Errno.current)") }
    }
}
