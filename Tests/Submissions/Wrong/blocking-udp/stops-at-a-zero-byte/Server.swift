// Caught by: blocking-udp.testEchoesEverySize
// Says: one of
// The mistake: It measures the datagram with strlen, which stops at the first byte 0.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_508)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count - 1, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        // A C string ends with a 0.
        buffer[count] = 0
        let length = strlen(buffer.map { CChar(bitPattern: $0) })
        let sent = sender.withSockaddr { address, size in
            sendto(socket, buffer, length, 0, address, size)
        }
        if sent == -1 { note("sendto \(sender): \(Errno.current)") }
    }
}
