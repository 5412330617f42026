// Exercise nonblocking-udp: a UDP echo server that works while no datagram is there.
// Read chapters/02-nonblocking.md first. Try it with: swift test --filter NonblockingUdp

import Glibc
import Support

/// The largest payload that a UDP datagram can carry over IPv4.
let largestDatagram = 65_507

/// A datagram with these bytes asks how many ticks of the work have been done.
let question = Array("ticks".utf8)

/// Answers every datagram, and works while there is none, forever.
///
/// - Parameter socket: A UDP socket that is bound already, and would wait.
/// - Throws: The `Errno` of a call, if the socket itself is broken.
func serve(_ socket: CInt) throws(Errno) {
    //> your part: serve
    // TODO: setNonblocking, then forever: receive. A datagram: answer it. EAGAIN: one tick of
    // work, and ask again.
    // The calls: recvfrom(2). `Work` is in Work.swift. No call may wait.
    unwritten("serve", chapter: "02-nonblocking")
    //< your part: serve
}

/// Answers one datagram: with its own bytes, or with the number of ticks if it asks for them.
func answer(
    _ datagram: ArraySlice<UInt8>, to sender: SocketAddress, ticks: Int, on socket: CInt
) {
    //> your part: answer
    // TODO: send the datagram back, or the number of ticks if the datagram is the question
    // (elementsEqual compares a slice with an array). A slice lends its bytes: withUnsafeBytes.
    // The call: sendto(2), again after EINTR. Any other failure is that sender's loss.
    unwritten("answer", chapter: "02-nonblocking")
    //< your part: answer
}

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead.
///
/// - Throws: The `Errno` of fcntl, if `descriptor` is not open.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    //> your part: setNonblocking
    // TODO: add O_NONBLOCK to the flags that the descriptor has already.
    // The call: fcntl(2), with F_GETFL and F_SETFL.
    unwritten("setNonblocking", chapter: "02-nonblocking")
    //< your part: setNonblocking
}
