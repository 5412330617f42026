// Right: recvmmsg takes up to eight datagrams in one call.

import CLinux
import Glibc
import Support

/// How many datagrams one call may bring, and the room for each.
private let batch = 8
private let room = 65_536

/// Answers every datagram, and works while there is none, forever.
func serve(_ socket: CInt) throws(Errno) {
    try setNonblocking(socket)
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: batch * room, alignment: 8)
    let senders = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: batch)
    let parts = UnsafeMutablePointer<iovec>.allocate(capacity: batch)
    let messages = UnsafeMutablePointer<mmsghdr>.allocate(capacity: batch)
    defer {
        bytes.deallocate()
        senders.deallocate()
        parts.deallocate()
        messages.deallocate()
    }
    senders.initialize(repeating: sockaddr_in(), count: batch)
    var work = Work()
    while true {
        for index in 0..<batch {
            parts[index] = iovec(iov_base: bytes + index * room, iov_len: room)
            messages[index] = mmsghdr()
            messages[index].msg_hdr.msg_name = UnsafeMutableRawPointer(senders + index)
            messages[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
            messages[index].msg_hdr.msg_iov = parts + index
            messages[index].msg_hdr.msg_iovlen = 1
        }
        let count = recvmmsg(socket, messages, UInt32(batch), 0, nil)
        if count == -1 {
            if errno == EAGAIN { work.tick() } else if errno != EINTR { throw Errno("recvmmsg") }
            continue
        }
        for index in 0..<Int(count) {
            parts[index].iov_len = Int(messages[index].msg_len)
            let own = UnsafeRawBufferPointer(
                start: bytes + index * room, count: parts[index].iov_len)
            var reply = Array(own)
            if reply == Array("ticks".utf8) { reply = Array("\(work.ticks)".utf8) }
            reply.withUnsafeMutableBytes {
                parts[index] = iovec(iov_base: $0.baseAddress, iov_len: $0.count)
                messages[index].msg_hdr.msg_flags = 0
                while sendmsg(socket, &messages[index].msg_hdr, 0) == -1, errno == EINTR {}
            }
        }
    }
}

/// Lets no call on this descriptor wait.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
}
