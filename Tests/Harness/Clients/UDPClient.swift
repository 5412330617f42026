// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// One sender of datagrams to a server. Its socket is connected, so the kernel hands it only what
/// comes from the server's own address. See udp(7).
public final class UDPClient {
    /// How the story calls it: `sender 1`.
    public let name: String
    private let socket: CInt
    private let server: ServerProcess
    private let transcript: Transcript
    private let deadline: Deadline
    private var isOpen = true

    /// Makes a sender. Nothing is sent yet.
    /// - Parameter host: The last number of its own address: all of 127.0.0.0/8 is this machine.
    public init(
        _ server: ServerProcess, host: UInt32, name: String, transcript: Transcript,
        deadline: Deadline
    ) throws(CheckFailure) {
        self.server = server
        self.name = name
        self.transcript = transcript
        self.deadline = deadline
        let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        socket = Glibc.socket(AF_INET, Int32(kind), 0)
        var own = loopback(0)
        own.sin_addr.s_addr = (INADDR_LOOPBACK - 1 + host).bigEndian
        var address = loopback(server.port)
        guard socket != -1, withSockaddr(&own, { bind(socket, $0, $1) }) == 0,
            withSockaddr(&address, { connect(socket, $0, $1) }) == 0
        else {
            throw .machine("No socket for a sender: \(errorText(errno)).")
        }
        server.register(name, port: ownPort(socket), comesInTurn: false)
    }

    deinit { if isOpen { Glibc.close(socket) } }

    /// Sends one datagram, which may be empty.
    /// - Parameter quietly: Leaves it out of the story.
    public func send(_ payload: [UInt8], quietly: Bool = false) throws(CheckFailure) {
        if !quietly {
            let size = counted(payload.count, "byte")
            transcript.add("\(name) sends a datagram of \(size): \(escaped(payload))")
        }
        server.take(payload, from: name)
        while Glibc.send(socket, payload, payload.count, Int32(MSG_NOSIGNAL)) == -1 {
            guard errno == EAGAIN || errno == EINTR else {
                let reason = errno
                try server.requireAliveNow()
                guard reason == ECONNREFUSED else {
                    throw .machine("A datagram could not be sent: \(errorText(reason)).")
                }
                throw CheckFailure(
                    expected: "a server that takes datagrams",
                    found: "nobody has its port any more: \(errorText(reason))")
            }
            try wait(for: POLLOUT, "room for a datagram")
        }
    }

    /// Waits for one datagram, and requires that it is this one.
    public func receive(_ expected: [UInt8], quietly: Bool = false) throws(CheckFailure) {
        if !quietly {
            transcript.add("\(name) waits for its datagram of \(counted(expected.count, "byte"))")
        }
        let received: [UInt8]
        do {
            received = try receiveAny("a datagram of \(counted(expected.count, "byte"))")
        } catch {
            throw explain(error, expected, [], .waiting)
        }
        try require(received, is: expected)
    }

    /// Waits for one datagram, whatever is in it.
    /// - Parameter what: What should come, as a noun.
    public func receiveAny(_ what: String) throws(CheckFailure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var count = recv(socket, &buffer, buffer.count, 0)
        while count == -1 {
            guard errno == EAGAIN || errno == EINTR else {
                try server.requireAlive()
                throw server.failure(
                    expected: "a datagram for \(name)", found: errorText(errno),
                    cause: "ECONNREFUSED means that nobody has the server's port any more.")
            }
            try wait(for: POLLIN, "\(what) for \(name)")
            count = recv(socket, &buffer, buffer.count, 0)
        }
        return Array(buffer.prefix(count))
    }

    /// Closes the socket: what the server sends from now on finds nobody.
    public func close() {
        transcript.add("\(name) closes its socket")
        isOpen = false
        Glibc.close(socket)
    }

    private func require(_ received: [UInt8], is expected: [UInt8]) throws(CheckFailure) {
        if received == expected { return }
        let common = Array(received.prefix(expected.count))
        if let difference = Difference(expected: expected, received: common) {
            let failure = CheckFailure(
                expected: difference.expected, found: difference.received,
                cause: "\(name) got a datagram that is not its own, or one that was changed.")
            throw explain(failure, expected, received, .changed)
        }
        let failure = CheckFailure(
            expected: "a datagram of \(counted(expected.count, "byte"))",
            found: "one of \(counted(received.count, "byte"))",
            cause: received.count < expected.count
                ? "A datagram that is longer than the buffer is cut, and the rest is lost."
                : "More was sent back than had been received: send only `count` bytes.")
        throw explain(failure, expected, received, .changed)
    }

    private func explain(
        _ failure: CheckFailure, _ expected: [UInt8], _ received: [UInt8],
        _ outcome: Exchange.Outcome
    ) -> CheckFailure {
        guard failure.kind == .failed, server.exitStatus == nil else { return failure }
        let exchange = Exchange(
            name, isDatagram: true, expected: expected, received: received, outcome)
        return server.explain(failure, exchange)
    }

    private func wait(for event: CInt, _ what: String) throws(CheckFailure) {
        try server.wait(for: socket, event, deadline: deadline, what: what) {
            if (SocketTable.udp(port: server.port)?.receiveQueue ?? 0) > 0 { return nil }
            return "It has taken the datagram and sent none to \(name)."
        }
    }
}
