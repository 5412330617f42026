// Caught by: blocking-udp.testEchoesADatagram
// Says: serve returned
// The mistake: There is no loop: it serves one datagram and is done.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    let count = sender.withMutableSockaddr { address, length in
        recvfrom(socket, &buffer, buffer.count, 0, address, length)
    }
    guard count != -1 else { throw .current }
    let sent = sender.withSockaddr { address, length in
        sendto(socket, buffer, count, 0, address, length)
    }
    guard sent != -1 else { throw .current }
}
