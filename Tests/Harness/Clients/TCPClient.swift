// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// One TCP client of a server, written with plain system calls and never blocked without a
/// deadline.
public final class TCPClient {
    /// How the story calls it: `client 1`.
    public let name: String
    /// The client's own port, by which the kernel's table finds the connection.
    public let port: UInt16
    private let socket: CInt
    private let server: ServerProcess
    private let transcript: Transcript?
    private let deadline: Deadline
    private var isOpen = true

    /// Connects to a server.
    ///
    /// connect(2) succeeds when the kernel has put the connection into the backlog: the server need
    /// not have called accept.
    /// - Throws: `CheckFailure` when nobody listens or the backlog stays full up to the deadline.
    public init(
        _ server: ServerProcess, name: String, transcript: Transcript?, deadline: Deadline
    ) throws(CheckFailure) {
        self.server = server
        self.name = name
        self.transcript = transcript
        self.deadline = deadline
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let socket = Glibc.socket(AF_INET, Int32(kind), 0)
        guard socket != -1 else { throw .machine("No socket for a client: \(errorText(errno)).") }
        self.socket = socket
        var address = loopback(server.port)
        let result = withSockaddr(&address) { Glibc.connect(socket, $0, $1) }
        let reason = errno
        port = ownPort(socket)
        server.register(name, port: port, comesInTurn: true)
        transcript?.add("\(name) connects")
        guard result == -1 else { return }
        guard reason == EINPROGRESS else { throw explain(reason, doing: "a connection") }
        try wait(for: POLLOUT, "the connection of \(name) to be taken into the backlog")
        var error: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size)
        guard error == 0 else { throw explain(error, doing: "a connection") }
    }

    deinit { if isOpen { Glibc.close(socket) } }

    /// Sends all of `bytes`, waiting for room as long as the server reads.
    public func send(_ bytes: [UInt8]) throws(CheckFailure) {
        transcript?.add("\(name) sends \(counted(bytes.count, "byte")): \(escaped(bytes))")
        server.take(bytes, from: name)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else {
                try waitAfter(errno, for: POLLOUT, "a connection that takes bytes")
            }
        }
    }

    /// Sends as much of `bytes` as goes without waiting, and gives that number.
    public func sendWhatFits(_ bytes: some Collection<UInt8>) throws(CheckFailure) -> Int {
        let chunk = Array(bytes)
        let count = Glibc.send(socket, chunk, chunk.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return count }
        guard errno == EAGAIN else { throw explain(errno, doing: "a connection that takes bytes") }
        return 0
    }

    /// Sends one byte out of band. A read stops before it, so it parts the bytes around it for
    /// every server, whatever its buffer. See tcp(7), MSG_OOB.
    public func sendUrgent(_ byte: UInt8) throws(CheckFailure) {
        transcript?.add("\(name) sends one urgent byte, which divides what comes before and after")
        var byte = byte
        guard Glibc.send(socket, &byte, 1, Int32(MSG_OOB | MSG_NOSIGNAL)) == 1 else {
            throw explain(errno, doing: "a connection that takes bytes")
        }
    }

    /// Waits for `expected`, and requires that exactly these bytes come.
    public func receive(_ expected: [UInt8]) throws(CheckFailure) {
        transcript?.add("\(name) waits for \(counted(expected.count, "byte"))")
        var received = 0
        while received < expected.count {
            let chunk: [UInt8]
            do {
                chunk = try receiveSome(atMost: expected.count - received) {
                    "\(counted(expected.count, "byte")) back; \(counted(received, "byte")) came"
                }
            } catch {
                let isReset = error.found.contains("(RST)")
                throw explain(error, expected, expected[..<received], isReset ? .reset : .waiting)
            }
            let all = expected[..<received] + chunk
            if let difference = Difference(expected: expected, from: received, received: chunk) {
                let failure = CheckFailure(
                    expected: difference.expected, found: difference.received,
                    cause:
                        "The bytes of \(name) came back changed, from byte \(difference.offset) on."
                )
                throw explain(failure, expected, all, .changed)
            }
            if chunk.isEmpty {
                try server.requireAliveNow()
                let failure = CheckFailure(
                    expected: "\(counted(expected.count, "byte")) back: \(escaped(expected))",
                    found: "the end of the connection after \(counted(received, "byte"))",
                    cause: "The server closed the connection before it had sent everything back.")
                throw explain(failure, expected, all, .ended)
            }
            received += chunk.count
        }
    }

    private func explain(
        _ failure: CheckFailure, _ expected: [UInt8], _ received: ArraySlice<UInt8>,
        _ outcome: Exchange.Outcome
    ) -> CheckFailure {
        guard failure.kind == .failed, server.exitStatus == nil else { return failure }
        let exchange = Exchange(
            name, isDatagram: false, expected: expected, received: Array(received), outcome)
        return server.explain(failure, exchange)
    }

    /// The next bytes, at most `count`; none at the end of the stream. Waits for the first of them.
    public func receiveSome(atMost count: Int, what: () -> String) throws(CheckFailure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: min(count, 1 << 16))
        while true {
            let got = recv(socket, &buffer, buffer.count, 0)
            if got >= 0 { return Array(buffer.prefix(got)) }
            try waitAfter(errno, for: POLLIN, what())
        }
    }

    /// Requires that the server ends the connection, in order, without another byte.
    public func receiveEnd() throws(CheckFailure) {
        transcript?.add("\(name) waits for the end of the connection")
        let rest: [UInt8]
        do {
            rest = try receiveSome(atMost: 64) { "the end of the connection" }
        } catch  where error.kind == .failed && error.cause == nil {
            throw error.retold(
                cause: "Its connection is still open: after read gives 0, close it.")
        }
        guard rest.isEmpty else {
            let failure = CheckFailure(
                expected: "the end of the connection", found: "more bytes: \(escaped(rest))",
                cause: "The server sent something that the client had not sent.")
            throw explain(failure, [], rest[...], .changed)
        }
    }

    /// Bytes that have come and were not asked for yet. See FIONREAD in ioctl_tty(2).
    public var waitingBytes: Int { queue(UInt(FIONREAD)) }

    /// Bytes sent that the server's side has not acknowledged. See SIOCOUTQ in tcp(7).
    public var unacknowledgedBytes: Int { queue(UInt(SIOCOUTQ)) }

    /// Whether nothing of this client is under way: what has been sent is acknowledged, and what is
    /// left waits for the server's window to open. See SIOCOUTQNSD in linux/sockios.h.
    public var nothingIsUnderWay: Bool { unacknowledgedBytes == queue(UInt(SIOCOUTQNSD)) }

    /// Says that this client sends no more, and goes on receiving. See shutdown(2).
    public func finishSending() {
        transcript?.add("\(name) finishes sending (shutdown), and still receives")
        shutdown(socket, Int32(SHUT_WR))
    }

    /// Closes the connection in order.
    public func close() {
        transcript?.add("\(name) closes")
        endSocket()
    }

    /// Resets the connection (RST) instead of ending it in order. See SO_LINGER in socket(7).
    public func reset() {
        transcript?.add("\(name) resets its connection (RST)")
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        endSocket()
    }

    private func endSocket() {
        isOpen = false
        Glibc.close(socket)
    }

    private func queue(_ request: UInt) -> Int {
        var count: CInt = 0
        return ioctl(socket, request, &count) == 0 ? Int(count) : 0
    }

    private func waitAfter(
        _ reason: CInt, for event: CInt, _ what: String
    ) throws(CheckFailure) {
        if reason == EINTR { return }
        guard reason == EAGAIN else { throw explain(reason, doing: what) }
        try wait(for: event, what)
    }

    private func wait(for event: CInt, _ what: String) throws(CheckFailure) {
        try server.wait(for: socket, event, deadline: deadline, what: what) {
            let row = SocketTable.connection(port: server.port, remotePort: port)
            // Bytes that are under way may still wake the server, or the client.
            if !nothingIsUnderWay || (row?.sendQueue ?? 0) + waitingBytes > 0 { return nil }
            switch row {
            case .some(let row) where row.inode == 0:
                return
                    "The connection of \(name) still waits in the backlog: nobody has accepted it."
            case .some(let row) where row.receiveQueue > 0:
                let count = counted(row.receiveQueue, "byte")
                let verb = row.receiveQueue == 1 ? "lies" : "lie"
                return "\(count) of \(name) \(verb) unread in the server's socket."
            default:
                return
                    "It has read all that \(name) sent, and nothing lies in its socket to be sent."
            }
        }
    }

    private func explain(_ reason: CInt, doing what: String) -> CheckFailure {
        do { try server.requireAliveNow() } catch { return error }
        let meaning: (String, String?) =
            switch reason {
            case ECONNREFUSED:
                ("nobody listens on port \(server.port) any more", "The listener was closed.")
            case ECONNRESET:
                (
                    "the server reset the connection (RST)",
                    "It closed the socket while bytes of the client were still unread, or with "
                        + "SO_LINGER 0: the kernel then throws away what was still to be sent."
                )
            case EPIPE:
                (
                    "the server has closed the connection",
                    "It was closed before the client had finished."
                )
            default: (errorText(reason), nil)
            }
        return server.failure(expected: what, found: meaning.0, cause: meaning.1)
    }
}
