// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What the suites of servers that wait in epoll_wait do to them.
extension SystemCall {
    /// The calls that wait for events of an epoll instance.
    public static var waitingForEvents: Set<Int32> {
        var calls: Set<Int32> = [SYS_epoll_pwait]
        #if arch(x86_64)
            calls.insert(SYS_epoll_wait)
        #endif
        return calls
    }
}

extension SyscallTrace {
    /// Waits until the server stands at the call of `hold`, or until it rests without having come there.
    /// - Returns: Whether it stands there.
    public func awaitHold(_ server: ServerProcess) throws(CheckFailure) -> Bool {
        var before: [ProcFS.Thread] = []
        try server.wait(for: "the server to come to its next call") {
            if self.isHolding { return true }
            let now = server.proc.threads()
            defer { before = now }
            return now == before && now.allSatisfy { $0.call != nil }
        }
        return isHolding
    }
}

extension ServerProcess {
    /// The server's descriptor of a client's connection, found by asking each of its sockets for its
    /// peer. The kernel's table of all sockets may be long, and takes its time.
    public func descriptor(of client: TCPClient) throws(CheckFailure) -> CInt {
        for (descriptor, target) in proc.descriptors() where target.hasPrefix("socket:") {
            let peer = try withCopy(of: descriptor) { copy in
                var address = sockaddr_in()
                withSockaddr(&address) { pointer, length in
                    var length = length
                    getpeername(copy, pointer, &length)
                }
                return UInt16(bigEndian: address.sin_port)
            }
            if peer == client.port { return descriptor }
        }
        throw CheckFailure(
            expected: "a descriptor for the connection of \(client.name)",
            found: "none: it was not accepted, or is closed. \(activity)")
    }

    /// Stops an echo server, sends it `count` bytes, and lets it go on when they lie in its socket, or as
    /// many of them as its window lets in: the server has one event for them. Waits for the echo.
    public func echoOneEvent(
        _ run: CheckRun, _ client: TCPClient, bytes count: Int
    ) throws(CheckFailure) {
        let message = run.random.bytes(count)
        try send(SIGSTOP)
        run.transcript.add("the server is stopped")
        try client.send(message)
        try wait(for: "the bytes to lie in the server's socket") { client.nothingIsUnderWay }
        run.transcript.add("they lie in its socket; the server goes on, and has one event for them")
        try send(SIGCONT)
        try client.receive(message)
    }

    /// Sends to an echo server and reads nothing, until the server waits for room. All that was sent
    /// has arrived, and a part of it lies unread in the server's socket.
    /// - Returns: What was sent and is to come back.
    public func fillUntilItWaitsForRoom(
        _ run: CheckRun, _ client: TCPClient
    ) throws(CheckFailure) -> [UInt8] {
        let descriptor = try descriptor(of: client)
        let piece = run.random.bytes(1 << 18)
        run.transcript.add(
            "\(client.name) sends, and reads nothing, until the server reads no more")
        var bytes: [UInt8] = []
        while bytes.count < 32 << 20 {
            let taken = try client.sendWhatFits(piece)
            bytes += piece[..<taken]
            try waitUntilParked()
            let unread = try unreadBytes(in: descriptor)
            guard unread > 0 else { continue }
            run.transcript.add(
                "\(counted(bytes.count, "byte")) were sent; the last \(counted(unread, "byte")) lie "
                    + "unread in its socket")
            return bytes
        }
        throw CheckFailure(
            expected: "a server that reads no more while its own bytes find no room",
            found:
                "it has taken \(counted(bytes.count, "byte")) of a client that reads nothing, more "
                + "than all buffers of the kernel hold")
    }

    /// Bytes that lie unread in one of the server's sockets. See FIONREAD in ioctl_tty(2).
    private func unreadBytes(in descriptor: CInt) throws(CheckFailure) -> Int {
        try withCopy(of: descriptor) { copy in
            var count: CInt = 0
            return ioctl(copy, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
        }
    }

    /// Sends to an echo server and reads nothing, until the server rests and takes no more.
    /// - Parameter limit: More than all of the kernel's buffers hold together.
    /// - Returns: What was sent and is to come back.
    public func fillUntilItTakesNoMore(
        _ run: CheckRun, _ client: TCPClient, limit: Int = 48 << 20
    ) throws(CheckFailure) -> [UInt8] {
        let piece = run.random.bytes(1 << 18)
        run.transcript.add("\(client.name) sends all that the server takes, and reads nothing")
        var bytes: [UInt8] = []
        var isResting = false
        while true {
            let start = bytes.count % piece.count
            let taken = try client.sendWhatFits(piece[start...])
            bytes += piece[start..<start + taken]
            guard bytes.count <= limit else {
                throw CheckFailure(
                    expected: "a server that reads no more while its own bytes find no room",
                    found: "it has taken \(counted(bytes.count, "byte")) of a client that reads "
                        + "nothing, more than all buffers of the kernel hold")
            }
            if taken > 0 {
                isResting = false
            } else if isResting {
                return bytes
            } else {
                try waitUntilParked()
                isResting = true
            }
        }
    }

    /// Sends many bytes to an echo server, and reads only when the server rests and takes no more.
    public func echoWhenItRests(_ run: CheckRun, bytes count: Int) throws(CheckFailure) {
        let client = try run.connect(self, quietly: true)
        let bytes = run.random.bytes(count)
        run.transcript.add("a client connects, sends \(counted(count, "byte")), and reads slowly")
        var sent = 0
        var received = 0
        var rests = 0
        while received < count {
            let taken = try client.sendWhatFits(bytes[sent..<min(sent + (1 << 18), count)])
            sent += taken
            if taken > 0 { continue }
            if rests < 20 { try waitUntilParked() }
            rests += 1
            let got = try client.receiveSome(atMost: min(60_000, count - received)) {
                "\(counted(count, "byte")) back; \(counted(received, "byte")) came"
            }
            guard !got.isEmpty else {
                throw CheckFailure(
                    expected: "\(counted(count, "byte")) back",
                    found: "the end of the connection after \(counted(received, "byte"))")
            }
            if let difference = Difference(expected: bytes, from: received, received: got) {
                throw CheckFailure(
                    expected: difference.expected, found: difference.received,
                    cause: "From byte \(difference.offset) on the bytes are others: some were left "
                        + "out, or sent twice.")
            }
            received += got.count
        }
    }
}
