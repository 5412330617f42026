// SPDX-License-Identifier: MIT

package import Glibc

/// 127.0.0.1 and a port. The harness has its own: a fault in the learner's Support must not hide
/// itself by being on both sides.
package func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    return address
}

package func withSockaddr<Result>(
    _ address: inout sockaddr_in, _ call: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            call($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

package func ownPort(_ socket: CInt) -> UInt16 {
    var address = sockaddr_in()
    withSockaddr(&address) { pointer, length in
        var length = length
        getsockname(socket, pointer, &length)
    }
    return UInt16(bigEndian: address.sin_port)
}
