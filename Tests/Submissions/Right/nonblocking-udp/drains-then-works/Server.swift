// Right: Takes all that is there, then works once; without errno in the outer loop; it writes a
// line to standard error for each datagram.

import Glibc
import Support

/// Answers every datagram, and works while there is none, forever.
func serve(_ socket: CInt) throws(Errno) {
    let flags = fcntl(socket, F_GETFL, 0)
    guard flags != -1, fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 else { throw Errno("fcntl") }
    var work = Work()
    while true {
        try answerAll(socket, ticks: work.ticks)
        work.tick()
    }
}

/// Answers every datagram that is there.
private func answerAll(_ socket: CInt, ticks: Int) throws(Errno) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
    defer { room.deallocate() }
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, room.baseAddress, room.count, 0, $0, $1)
        }
        if count == -1 {
            if errno == EAGAIN { return }
            if errno == EINTR { continue }
            throw Errno("recvfrom")
        }
        note("\(sender): \(count) bytes")
        let isQuestion = count == 5 && room[..<5].elementsEqual("ticks".utf8)
        let reply = isQuestion ? Array(String(ticks).utf8) : Array(room[..<count])
        while sender.withSockaddr({ sendto(socket, reply, reply.count, 0, $0, $1) }) == -1,
            errno == EINTR
        {}
    }
}
