// Caught by: blocking-udp.testAnswersTheRightSender
// Says: for sender 3
// The mistake: It connects its socket to the first sender, and the kernel then refuses all others.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    var isConnected = false
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        if !isConnected {
            guard sender.withSockaddr({ connect(socket, $0, $1) }) != -1 else { throw .current }
            isConnected = true
        }
        if send(socket, buffer, count, 0) == -1 { note("send: \(Errno.current)") }
    }
}
