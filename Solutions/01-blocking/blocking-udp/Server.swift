// Exercise blocking-udp: a UDP echo server that waits inside recvfrom.
// Read chapters/01-blocking.md first. Try it with: swift test --filter BlockingUdp

import Glibc
import Support

/// The largest payload that a UDP datagram can carry over IPv4: 65,535 bytes less the two headers.
/// A buffer of this size holds any of them.
let largestDatagram = 65_507

/// Sends every datagram back to the address that it came from, forever.
///
/// - Parameter socket: A UDP socket that is bound already.
/// - Throws: The `Errno` of recvfrom, if the socket itself is broken.
func serve(_ socket: CInt) throws(Errno) {
    //> your part: serve
    var buffer = [UInt8](repeating: 0, count: largestDatagram)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, &buffer, buffer.count, 0, $0, $1)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("recvfrom")
        }
        // A count of 0 is a datagram without bytes, not an end. UDP has no end.
        while sender.withSockaddr({ sendto(socket, buffer, count, 0, $0, $1) }) == -1 {
            let error = Errno("sendto")
            if error.number == EINTR { continue }
            // A reply that cannot be sent is that sender's loss. The others are still served.
            note("\(sender): \(error)")
            break
        }
    }
    //< your part: serve
}
