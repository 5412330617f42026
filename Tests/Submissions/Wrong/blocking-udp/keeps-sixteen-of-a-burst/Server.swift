// Caught by: blocking-udp.testEchoesABurst
// Says: nothing will come
// The mistake: It takes all that waits from the queue, but has room for 16 and drops the rest.

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
            if waiting.count < 16 { waiting.append((sender, Array(buffer.prefix(count)))) }
        }
        for (sender, bytes) in waiting {
            let sent = sender.withSockaddr { address, length in
                sendto(socket, bytes, bytes.count, 0, address, length)
            }
            if sent == -1 { note("sendto \(sender): \(Errno.current)") }
        }
    }
}
