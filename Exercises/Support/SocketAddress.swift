// SPDX-License-Identifier: MIT

public import Glibc

/// An IPv4 address and a port, as the socket calls take them. See ip(7).
///
/// The calls want a pointer to a general `sockaddr`, although what lies there is a `sockaddr_in`.
/// C casts the pointer. Swift rebinds the memory for the length of a closure, and this type does it
/// for you.
public struct SocketAddress: Equatable, Sendable {
    private var storage = sockaddr_in()

    /// An address to be filled in by the kernel: for recvfrom(2), accept(2), getsockname(2).
    public init() {}

    /// The address that a socket is bound to. See getsockname(2).
    /// - Throws: The `Errno` of getsockname, if `socket` is not an open socket.
    public init(of socket: CInt) throws(Errno) {
        guard withMutableSockaddr({ getsockname(socket, $0, $1) }) != -1 else {
            throw Errno("getsockname")
        }
    }

    /// An address on this machine: 127.0.0.1 and a port. Port 0 lets the kernel choose one.
    public static func loopback(port: UInt16) -> SocketAddress {
        var address = SocketAddress()
        address.storage.sin_family = sa_family_t(AF_INET)
        // The network's byte order is big-endian, whatever the processor's is. See byteorder(3).
        address.storage.sin_port = port.bigEndian
        address.storage.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return address
    }

    /// The port, in the processor's byte order.
    public var port: UInt16 { UInt16(bigEndian: storage.sin_port) }

    /// Gives a call the address to read: `address.withSockaddr { bind(socket, $0, $1) }`.
    public func withSockaddr<Result>(
        _ call: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                call(address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Gives a call the room to write an address into, and the size of that room.
    ///
    /// The kernel reads the size and overwrites it, so it must be set anew before each call. Here
    /// it is: `sender.withMutableSockaddr { recvfrom(socket, &buffer, buffer.count, 0, $0, $1) }`.
    public mutating func withMutableSockaddr<Result>(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                call(address, &length)
            }
        }
    }

    /// Whether both are the same address and port.
    public static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        left.storage.sin_addr.s_addr == right.storage.sin_addr.s_addr
            && left.storage.sin_port == right.storage.sin_port
    }
}

extension SocketAddress: CustomStringConvertible {
    /// As people write it: `127.0.0.1:7000`.
    public var description: String {
        let ip = UInt32(bigEndian: storage.sin_addr.s_addr)
        return "\(ip >> 24).\(ip >> 16 & 255).\(ip >> 8 & 255).\(ip & 255):\(port)"
    }
}
