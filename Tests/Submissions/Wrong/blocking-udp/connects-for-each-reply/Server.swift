// Caught by: blocking-udp.testEchoesADatagram
// Says: Connection refused
// The mistake: It connects the socket for each reply; undoing that gives up a port that the kernel chose.

import Glibc
import Support

/// The rest of an address that has none.
private let noData = sockaddr().sa_data

/// Sends every datagram back to the address that it came from, for ever.
func serve(_ socket: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        guard sender.withSockaddr({ connect(socket, $0, $1) }) != -1 else { throw .current }
        if send(socket, buffer, count, 0) == -1 { note("send: \(Errno.current)") }
        // The family AF_UNSPEC takes the connection away again. See connect(2).
        var nobody = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: noData)
        connect(socket, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
    }
}
