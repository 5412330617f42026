// Caught by: blocking-udp.testEchoesEverySize
// Says: More was sent back
// The mistake: It sends as many bytes as the longest datagram so far had.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    var longest = 0
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        longest = max(longest, count)
        guard count > 0 else {
            sender.withSockaddr { _ = sendto(socket, nil, 0, 0, $0, $1) }
            continue
        }
        let sent = sender.withSockaddr { address, length in
            sendto(socket, buffer, longest, 0, address, length)
        }
        if sent == -1 { note("sendto \(sender): \(Errno.current)") }
    }
}
