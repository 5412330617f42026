// Right: recvmmsg and sendmmsg take many datagrams at once.

import CLinux
import Glibc
import Support

/// The datagrams that one call may take, and the room for each.
private let batch = 32
private let room = 65_536

/// Sends every datagram back to the address that it came from, forever.
func serve(_ socket: CInt) throws(Errno) {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: batch * room, alignment: 16)
    let senders = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: batch)
    let parts = UnsafeMutablePointer<iovec>.allocate(capacity: batch)
    let messages = UnsafeMutablePointer<mmsghdr>.allocate(capacity: batch)
    senders.initialize(repeating: sockaddr_in(), count: batch)
    while true {
        for index in 0..<batch {
            parts[index] = iovec(iov_base: bytes + index * room, iov_len: room)
            messages[index] = mmsghdr()
            messages[index].msg_hdr.msg_name = UnsafeMutableRawPointer(senders + index)
            messages[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
            messages[index].msg_hdr.msg_iov = parts + index
            messages[index].msg_hdr.msg_iovlen = 1
        }
        // It waits for the first datagram only. See recvmmsg(2).
        let count = recvmmsg(socket, messages, UInt32(batch), Int32(MSG_WAITFORONE), nil)
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("recvmmsg")
        }
        for index in 0..<Int(count) { parts[index].iov_len = Int(messages[index].msg_len) }
        var sent = 0
        while sent < Int(count) {
            let taken = sendmmsg(socket, messages + sent, UInt32(Int(count) - sent), 0)
            if taken == -1, errno == EINTR { continue }
            // The first of the rest cannot be sent: leave it out.
            sent += max(Int(taken), 1)
        }
    }
}
