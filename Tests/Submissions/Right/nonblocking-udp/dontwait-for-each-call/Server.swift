// Right: MSG_DONTWAIT for each call instead of O_NONBLOCK for the socket.

import Glibc
import Support

/// The largest payload that a UDP datagram can carry over IPv4.
let largestDatagram = 65_507

/// A datagram with these bytes asks how many ticks of the work have been done.
let question = Array("ticks".utf8)

/// Answers every datagram, and works while there is none, forever.
func serve(_ socket: CInt) throws(Errno) {
    var work = Work()
    var buffer = [UInt8](repeating: 0, count: largestDatagram)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, $1)
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
}

/// Answers one datagram: with its own bytes, or with the number of ticks if it asks for them.
func answer(
    _ datagram: ArraySlice<UInt8>, to sender: SocketAddress, ticks: Int, on socket: CInt
) {
    let reply = datagram.elementsEqual(question) ? Array("\(ticks)".utf8)[...] : datagram
    let sent = reply.withUnsafeBytes { bytes in
        sender.withSockaddr {
            sendto(socket, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), $0, $1)
        }
    }
    guard sent == -1 else { return }
    // A signal came first: once more.
    if errno == EINTR { return answer(datagram, to: sender, ticks: ticks, on: socket) }
    // The flag counts for sending, too: without room in the socket this is EAGAIN. UDP may drop.
    note("\(sender): \(Errno("sendto"))")
}
