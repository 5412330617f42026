// Caught by: blocking-udp.testEchoesABurst
// Says: not its own
// The mistake: It takes all that waits from the queue, and answers the newest first.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    while true {
        // The first recvfrom waits; the next ones take what is there already.
        var waiting: [(sender: SocketAddress, bytes: [UInt8])] = []
        while true {
            var sender = SocketAddress()
            let flags = waiting.isEmpty ? 0 : Int32(MSG_DONTWAIT)
            let count = sender.withMutableSockaddr { address, length in
                recvfrom(socket, &buffer, buffer.count, flags, address, length)
            }
            if count == -1 {
                if errno == EAGAIN { break }
                if errno == EINTR { continue }
                throw .current
            }
            waiting.append((sender, Array(buffer.prefix(count))))
        }
        while let (sender, bytes) = waiting.popLast() {
            let sent = sender.withSockaddr { address, length in
                sendto(socket, bytes, bytes.count, 0, address, length)
            }
            if sent == -1 { note("sendto \(sender): \(Errno.current)") }
        }
    }
}
