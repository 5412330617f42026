// Right: recvmsg and sendmsg, which take the address and the buffer in one structure.

import Glibc
import Support

/// Answers every datagram, and works while there is none, forever.
func serve(_ socket: CInt) throws(Errno) {
    try setNonblocking(socket)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    let sender = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: 1)
    let part = UnsafeMutablePointer<iovec>.allocate(capacity: 1)
    defer {
        room.deallocate()
        sender.deallocate()
        part.deallocate()
    }
    var work = Work()
    while true {
        part.initialize(to: iovec(iov_base: room.baseAddress, iov_len: room.count))
        var message = msghdr()
        message.msg_name = UnsafeMutableRawPointer(sender)
        message.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        message.msg_iov = part
        message.msg_iovlen = 1
        var count = recvmsg(socket, &message, 0)
        guard count != -1 else {
            switch errno {
            case EWOULDBLOCK: work.tick()
            case EINTR: break
            default: throw Errno("recvmsg")
            }
            continue
        }
        if count == 5, room[..<5].elementsEqual("ticks".utf8) {
            let number = Array("\(work.ticks)".utf8)
            count = number.count
            room.copyBytes(from: number)
        }
        part.pointee.iov_len = count
        message.msg_flags = 0
        while sendmsg(socket, &message, 0) == -1, errno == EINTR {}
    }
}

/// Lets no call on this descriptor wait.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
}
