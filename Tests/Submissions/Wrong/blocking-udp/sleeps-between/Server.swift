// Caught by: blocking-udp.testWaitsInRecvfrom
// Says: The server's one thread is
// The mistake: It asks with MSG_DONTWAIT, and sleeps for 20 ms whenever nothing has come.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT), address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            if errno == EAGAIN {
                usleep(20_000)
                continue
            }
            throw .current
        }
        let sent = sender.withSockaddr { address, length in
            sendto(socket, buffer, count, 0, address, length)
        }
        if sent == -1 { note("sendto \(sender): \(Errno.current)") }
    }
}
