// Caught by: blocking-udp.testEchoesAnEmptyDatagram
// Says: serve returned
// The mistake: It takes an empty datagram for the end of the input, as read gives it for TCP.

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
        if count == 0 { return }
        let sent = sender.withSockaddr { address, length in
            sendto(socket, buffer, count, 0, address, length)
        }
        if sent == -1 { note("sendto \(sender): \(Errno.current)") }
    }
}
