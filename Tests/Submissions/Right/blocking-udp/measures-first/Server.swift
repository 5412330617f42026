// Right: It asks for the size with MSG_PEEK and MSG_TRUNC, and takes a buffer of just that size.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, forever.
func serve(_ socket: CInt) throws(Errno) {
    //> your part: serve
    var sender = SocketAddress()
    while true {
        // MSG_TRUNC gives the datagram's own size, MSG_PEEK leaves it in the queue.
        let size = recv(socket, nil, 0, Int32(MSG_PEEK | MSG_TRUNC))
        guard size != -1 else {
            if errno == EINTR { continue }
            throw Errno("recv")
        }
        var datagram = [UInt8](repeating: 0, count: size)
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &datagram, size, 0, address, length)
        }
        guard count != -1 else { continue }
        while sender.withSockaddr({ sendto(socket, datagram, count, 0, $0, $1) }) == -1,
            errno == EINTR
        {}
    }
    //< your part: serve
}
