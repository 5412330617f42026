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
    // TODO: receive a datagram and its sender's address, and send the same bytes back there. The
    // calls: recvfrom(2), sendto(2), each again after EINTR. SocketAddress lends them the address.
    unwritten("serve", chapter: "01-blocking")
    //< your part: serve
}
