// Right: recvmsg and sendmsg, which take the address and the buffer in one structure.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, forever.
func serve(_ socket: CInt) throws(Errno) {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    let sender = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: 1)
    let part = UnsafeMutablePointer<iovec>.allocate(capacity: 1)
    defer {
        room.deallocate()
        sender.deallocate()
        part.deallocate()
    }
    while true {
        part.initialize(to: iovec(iov_base: room.baseAddress, iov_len: room.count))
        var message = msghdr()
        message.msg_name = UnsafeMutableRawPointer(sender)
        message.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        message.msg_iov = part
        message.msg_iovlen = 1
        let count = recvmsg(socket, &message, 0)
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("recvmsg")
        }
        // The same structure goes back: it has the sender's address and its length already.
        part.pointee.iov_len = count
        message.msg_flags = 0
        while sendmsg(socket, &message, 0) == -1, errno == EINTR {}
    }
}
