// Caught by: blocking-udp.testEchoesEverySize
// Says: changed
// The mistake: It turns the bytes into a String and back, which replaces all that is not UTF-8.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
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
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        let reply = Array(text.utf8)
        let sent = sender.withSockaddr { address, length in
            sendto(socket, reply, reply.count, 0, address, length)
        }
        if sent == -1 { note("sendto \(sender): \(Errno.current)") }
    }
}
