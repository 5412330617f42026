// Caught by: blocking-udp.testAnswersTheRightSender
// Says: not its own
// The mistake: It sends each datagram to all who have ever sent one, as a chat does.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    var senders: [SocketAddress] = []
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        if !senders.contains(sender) { senders.append(sender) }
        for receiver in senders {
            let sent = receiver.withSockaddr { address, length in
                sendto(socket, buffer, count, 0, address, length)
            }
            if sent == -1 { note("sendto \(receiver): \(Errno.current)") }
        }
    }
}
