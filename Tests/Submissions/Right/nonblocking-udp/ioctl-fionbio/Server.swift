// Right: FIONBIO sets the same flag, in one call.

import Glibc
import Support

/// The largest payload that a UDP datagram can carry over IPv4.
let largestDatagram = 65_507

/// A datagram with these bytes asks how many ticks of the work have been done.
let question = Array("ticks".utf8)

/// Answers every datagram, and works while there is none, forever.
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
        if count != -1 {
            answer(buffer[..<count], to: sender, ticks: work.ticks, on: socket)
            continue
        }
        switch errno {
        // Not yet. No error, and no end: the moment for the other work. Then ask again.
        case EAGAIN: work.tick()
        case EINTR: break
        default: throw Errno("recvfrom")
        }
    }
    //< your part: serve
}

/// Answers one datagram: with its own bytes, or with the number of ticks if it asks for them.
func answer(
    _ datagram: ArraySlice<UInt8>, to sender: SocketAddress, ticks: Int, on socket: CInt
) {
    //> your part: answer
    let reply = datagram.elementsEqual(question) ? Array("\(ticks)".utf8)[...] : datagram
    var sent = -1
    repeat {
        sent = reply.withUnsafeBytes { bytes in
            sender.withSockaddr { sendto(socket, bytes.baseAddress, bytes.count, 0, $0, $1) }
        }
    } while sent == -1 && errno == EINTR
    // The flag counts for sending, too: without room in the socket this is EAGAIN. UDP may drop.
    if sent == -1 { note("\(sender): \(Errno("sendto"))") }
    //< your part: answer
}

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    //> your part: setNonblocking
    var yes: CInt = 1
    guard ioctl(descriptor, UInt(FIONBIO), &yes) != -1 else { throw Errno("ioctl") }
    //< your part: setNonblocking
}
