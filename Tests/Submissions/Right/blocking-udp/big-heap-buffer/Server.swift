// Right: A buffer of 1 MiB from malloc, recvfrom in a function of its own, recursion-free; it
// writes a line to standard error for each datagram.

import Glibc
import Support

/// A datagram that has come: how many bytes, and from whom.
private struct Arrival {
    var count: Int
    var sender: SocketAddress
}

/// Sends every datagram back to the address that it came from, forever.
func serve(_ socket: CInt) throws(Errno) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
    defer { buffer.deallocate() }
    while true {
        let arrival = try receive(socket, buffer)
        let reply = UnsafeRawBufferPointer(rebasing: buffer[..<arrival.count])
        note("\(arrival.sender): \(arrival.count) bytes")
        var sent = -1
        repeat {
            sent = arrival.sender.withSockaddr { address, length in
                sendto(socket, reply.baseAddress, reply.count, Int32(MSG_NOSIGNAL), address, length)
            }
            // A signal came first: once more. Any other failure is this sender's loss.
        } while sent == -1 && errno == EINTR
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
    guard count >= 0 else { throw Errno("recvfrom") }
    return Arrival(count: count, sender: sender)
}
