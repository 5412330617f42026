// Right: A buffer of 1 MiB from malloc, recvfrom in a function of its own, recursion-free.

import Glibc
import Support

/// A datagram that has come: how many bytes, and from whom.
private struct Arrival {
    var count: Int
    var sender: SocketAddress
}

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
    defer { buffer.deallocate() }
    while true {
        let arrival = try receive(socket, buffer)
        let reply = UnsafeRawBufferPointer(rebasing: buffer[..<arrival.count])
        // The reply of one sender is no reason to end: the result is not looked at.
        _ = arrival.sender.withSockaddr { address, length in
            sendto(socket, reply.baseAddress, reply.count, Int32(MSG_NOSIGNAL), address, length)
        }
    }
}

private func receive(
    _ socket: CInt, _ buffer: UnsafeMutableRawBufferPointer
) throws(Errno) -> Arrival {
    var sender = SocketAddress()
    var count = -1
    repeat {
        count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, buffer.baseAddress, buffer.count, 0, address, length)
        }
    } while count == -1 && errno == EINTR
    guard count >= 0 else { throw .current }
    return Arrival(count: count, sender: sender)
}
