// Caught by: blocking-udp.testEchoesADatagram
// Says: nothing will come
// The mistake: It uses recv, which does not tell who sent the datagram.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    let sender = SocketAddress()
    while true {
        let count = recv(socket, &buffer, buffer.count, 0)
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
