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
    try setNonblocking(socket)
    var work = Work()
    var buffer = [UInt8](repeating: 0, count: largestDatagram)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, &buffer, buffer.count, 0, $0, $1)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            guard errno == EAGAIN else { throw Errno("recvfrom") }
            // Not yet. No error, and no end: the moment for the other work. Then ask again.
            work.tick()
            continue
        }
        answer(buffer[..<count], to: sender, ticks: work.ticks, on: socket)
    }
    //< your part: serve
}

/// Answers one datagram: with its own bytes, or with the number of ticks if it asks for them.
func answer(
    _ datagram: ArraySlice<UInt8>, to sender: SocketAddress, ticks: Int, on socket: CInt
) {
    //> your part: answer
    let reply = datagram.elementsEqual(question) ? Array("\(ticks)".utf8)[...] : datagram
    while true {
        let sent = reply.withUnsafeBytes { bytes in
            sender.withSockaddr { sendto(socket, bytes.baseAddress, bytes.count, 0, $0, $1) }
        }
        guard sent == -1 else { return }
        let error = Errno("sendto")
        if error.number == EINTR { continue }
        // The flag counts for sending too: without room in the socket this is EAGAIN. UDP may drop.
        return note("\(sender): \(error)")
    }
    //< your part: answer
}

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead.
///
/// - Throws: The `Errno` of fcntl, if `descriptor` is not open.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    //> your part: setNonblocking
    let flags = fcntl(descriptor, F_GETFL)
    // Read first, then add one flag: F_SETFL with O_NONBLOCK alone would clear the others.
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
    //< your part: setNonblocking
}
