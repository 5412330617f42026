// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// What the kernel tells of a server's sockets when it is asked through copies of them.
extension ServerProcess {
    /// Runs `body` with a copy of one of the server's descriptors, to ask the socket itself.
    /// See pidfd_getfd(2).
    /// - Throws: `CheckFailure` when the server has closed the descriptor or has ended; of kind
    ///   `notVerified` when this machine does not allow it.
    public func withCopy<Result>(
        of descriptor: CInt, _ body: (CInt) throws(CheckFailure) -> Result
    ) throws(CheckFailure) -> Result {
        let copy = pidfd_getfd_call(process.pidfd, descriptor)
        guard copy != -1 else {
            let reason = errno
            // Not the machine's refusal: there is nothing to copy.
            if reason == EBADF {
                throw CheckFailure(
                    expected: "descriptor \(descriptor) of the server to be open",
                    found: "the server has closed it")
            }
            throw refusal("ask the server's socket (pidfd_getfd)", reason)
        }
        defer { close(copy) }
        return try body(copy)
    }

    /// The descriptor of the server's socket that listens, or is bound, on its port.
    public func socketDescriptor(_ row: SocketRow?) throws(CheckFailure) -> CInt {
        guard let row,
            let found = proc.descriptors().first(where: { $0.value == "socket:[\(row.inode)]" })
        else {
            try requireAliveNow()
            throw CheckFailure(
                expected: "a descriptor of the server for the socket that the kernel has",
                found: "none of its descriptors leads to it: it was closed, or not accepted yet")
        }
        return found.key
    }

    /// The descriptor of the server's listener.
    public func listenerDescriptor() throws(CheckFailure) -> CInt {
        try socketDescriptor(SocketTable.listener(port: port))
    }

    /// The server's descriptor of a client's connection, once it has accepted it.
    public func descriptor(of client: TCPClient) throws(CheckFailure) -> CInt {
        var row: SocketRow?
        // In the backlog a connection has no inode yet: that of its file comes with accept.
        try wait(for: "the connection of \(client.name) to be accepted") {
            row = SocketTable.connection(port: self.port, remotePort: client.port)
            return (row?.inode ?? 0) != 0
        }
        guard let row,
            let found = proc.descriptors().first(where: { $0.value == "socket:[\(row.inode)]" })
        else {
            throw CheckFailure(
                expected: "a descriptor for the connection of \(client.name)",
                found: "none: it is closed. \(activity)")
        }
        return found.key
    }

    /// How many clients have been accepted by nobody: the length of the backlog.
    public var backlog: Int { SocketTable.listener(port: port)?.receiveQueue ?? 0 }

    /// Waits until every client has been accepted.
    public func waitForAnEmptyBacklog() throws(CheckFailure) {
        try wait(for: "the clients in the backlog to be accepted") { self.backlog == 0 }
    }

    /// Whether the kernel still has the server's end of a client's connection.
    public func hasConnection(to client: TCPClient) -> Bool {
        SocketTable.connection(port: port, remotePort: client.port) != nil
    }

    /// Bytes of a client that lie unread in the server's socket.
    public func unreadBytes(of client: TCPClient) -> Int {
        SocketTable.connection(port: port, remotePort: client.port)?.receiveQueue ?? 0
    }

    /// The second argument of listen(2), asked of the kernel. In TCP_INFO of a listening socket the
    /// field `tcpi_sacked` is the limit of the backlog, and `tcpi_unacked` its length.
    public func backlogLimit(of listener: CInt) throws(CheckFailure) -> Int {
        let info = try option(
            TCP_INFO, Int32(IPPROTO_TCP), of: listener, initially: tcp_info())
        return Int(info.tcpi_sacked)
    }

    /// An option of one of its sockets. See getsockopt(2).
    /// - Parameter initially: Its value if the kernel says nothing; its type is the option's.
    public func option<Value>(
        _ name: Int32, _ level: Int32, of descriptor: CInt, initially: Value
    ) throws(CheckFailure) -> Value {
        try withCopy(of: descriptor) { copy throws(CheckFailure) in
            var value = initially
            var size = socklen_t(MemoryLayout<Value>.size)
            let result = withUnsafeMutableBytes(of: &value) {
                getsockopt(copy, level, name, $0.baseAddress, &size)
            }
            guard result == 0 else {
                throw CheckFailure(
                    expected: "descriptor \(descriptor) of the server to be a socket",
                    found: errorText(errno))
            }
            return value
        }
    }
}
