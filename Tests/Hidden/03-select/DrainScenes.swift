import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// What the suite of pselect-drain does around the end of a server.
extension ServerProcess {
    /// Waits until nobody listens on its port any more.
    func waitForNoListener() throws(CheckFailure) {
        do {
            try wait(for: "nobody to listen on its port any more") {
                SocketTable.listener(port: self.port) == nil
            }
        } catch  where error.kind == .failed && exitStatus == nil {
            throw CheckFailure(
                expected: error.expected, found: error.found,
                cause:
                    "Close the listener when SIGTERM has come. As long as it is open, the kernel "
                    + "takes new clients into the backlog.")
        }
    }

    /// Requires that a client gets all these bytes and then the end, although the server ends.
    func requireDrained(to client: TCPClient, _ bytes: [UInt8]) throws(CheckFailure) {
        do {
            try client.receive(bytes)
        } catch  where error.kind == .failed {
            throw CheckFailure(
                expected: "\(counted(bytes.count, "byte")) for \(client.name), sent before SIGTERM",
                found: error.found, cause: error.cause)
        }
        try requireEnd(of: client)
    }

    /// Requires that a client that is owed nothing gets its end.
    func requireEnd(of client: TCPClient) throws(CheckFailure) {
        do {
            try client.receiveEnd()
        } catch  where error.kind == .failed {
            throw CheckFailure(
                expected: "the end of the connection of \(client.name), which is owed nothing more",
                found: error.found,
                cause: "After SIGTERM close a connection with nothing unsent and nothing unread.")
        }
    }
}

extension CheckRun {
    /// Connects a client that sends and reads nothing, until the server has bytes that it cannot
    /// send. All that was sent has arrived by then: some may lie unread in the server's socket.
    /// - Returns: The client, and what it is owed.
    func connectAndFill(
        _ server: ServerProcess
    ) throws(CheckFailure) -> (client: TCPClient, owed: [UInt8]) {
        let before = Set(server.proc.descriptors().keys)
        let client = try connect(server, quietly: true)
        try exchangeALine(with: client)
        let new = Set(server.proc.descriptors().keys).subtracting(before)
        guard new.count == 1, let descriptor = new.first else {
            throw CheckFailure(
                expected: "one more descriptor in the server for one more client",
                found: "\(new.count) more")
        }
        transcript.add("\(client.name) sends, and reads nothing, until the server reads no more")
        let bytes = manyBytes(24 << 20)
        var sent = 0
        while sent < bytes.count - 60_000 {
            try client.send(Array(bytes[sent..<(sent + 60_000)]))
            sent += 60_000
            try server.wait(for: "\(client.name)'s bytes to arrive") {
                client.unacknowledgedBytes == 0
            }
            if try unreadBytes(server, descriptor) == 0 { continue }
            // What it wants to read, it has read when it rests.
            try server.waitUntilParked()
            if try unreadBytes(server, descriptor) > 0 {
                return (client, Array(bytes.prefix(sent)))
            }
        }
        throw CheckFailure(
            expected: "a server that reads no more from a client that does not read",
            found: "it has taken \(sent >> 20) MiB")
    }

    /// Asks the server's own socket. See FIONREAD in tcp(7).
    private func unreadBytes(
        _ server: ServerProcess, _ descriptor: CInt
    ) throws(CheckFailure) -> CInt {
        try server.withCopy(of: descriptor) { copy throws(CheckFailure) in
            var count: CInt = 0
            _ = ioctl(copy, UInt(FIONREAD), &count)
            return count
        }
    }

    /// While the server works, SIGTERM must be blocked; while it waits, it must be let in.
    func lookAtTheMask() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        let client = try connect(server)
        try exchangeALine(with: client)
        try server.requireParkedInSelect(words: "pselect")
        let advice =
            "Block SIGTERM with sigprocmask once. Give pselect a mask without it: the kernel "
            + "sets that mask and begins to wait in one step, and puts yours back."
        guard server.signals("SigCgt").contains(SIGTERM) else {
            throw CheckFailure(
                expected: "a handler for SIGTERM",
                found: "SIGTERM is not caught: it ends the server at once, or does nothing")
        }
        guard !server.signals("SigBlk").contains(SIGTERM) else {
            throw CheckFailure(
                expected: "SIGTERM let in while the server waits in pselect",
                found: "it is blocked there, so nothing would end the wait", cause: advice)
        }
        trace.hold(at: 1, of: SystemCall.inSelect)
        try exchangeALine(with: client)
        try server.wait(for: "the next pselect") { trace.isHolding }
        guard server.signals("SigBlk").contains(SIGTERM) else {
            throw CheckFailure(
                expected: "SIGTERM blocked before the server waits",
                found:
                    "it is not blocked just before pselect: it could come after the last look at "
                    + "the flag and before the wait", cause: advice)
        }
        trace.release()
    }

    /// SIGTERM comes after the last look at the flag, and before the wait has begun.
    func signalInTheGap() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        let client = try connect(server)
        try exchangeALine(with: client)
        try server.waitUntilParked()
        trace.hold(at: 1, of: SystemCall.inSelect)
        try exchangeALine(with: client)
        try server.wait(for: "the next pselect") { trace.isHolding }
        transcript.add("the server is kept just before its next pselect: it has looked at its flag")
        try server.beToldToEnd(self)
        trace.release()
        transcript.add("the server goes on")
        try server.waitForItsEnd(
            cause: "The handler ran before the wait began, and nobody looks at the flag any more. "
                + "Block SIGTERM before you look at it, and let pselect unblock it: then the "
                + "signal stays pending, and pselect fails at once with EINTR.")
        try server.requireEnd(of: client)
    }
}

extension CheckRun {
    /// SIGTERM comes while before each wait some client has sent something: pselect lets no signal in
    /// while a socket is ready.
    func signalABusyServer() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        let clients = [try connect(server), try connect(server)]
        for client in clients { try exchangeALine(with: client) }
        try server.waitUntilParked()
        trace.hold(at: 1, of: SystemCall.inSelect)
        try clients[0].send(random.line(8))
        try server.wait(for: "the next pselect") { trace.isHolding }
        try server.beToldToEnd(self)
        var turns = 0
        while SocketTable.listener(port: server.port) != nil {
            guard turns < 5 else {
                throw CheckFailure(
                    expected: "no listener any more: SIGTERM has come",
                    found: "pselect has returned \(turns) times since, and each time a client had "
                        + "sent a line before it began",
                    cause: "While a socket is ready, pselect gives the count and lets no signal "
                        + "in. Ask for the pending signals before each wait: sigpending(2).")
            }
            let client = clients[turns % 2]
            try client.send(random.line(8))
            try server.wait(for: "the line to arrive") { client.unacknowledgedBytes == 0 }
            trace.release(untilNextOf: SystemCall.inSelect)
            try server.wait(for: "the next pselect") {
                trace.isHolding || server.exitStatus != nil
            }
            turns += 1
        }
        trace.release()
        try server.waitForItsEnd()
    }
}

extension ServerProcess {
    /// The signals in a set of /proc/PID/status: `SigBlk`, `SigCgt`. See proc_pid_status(5).
    func signals(_ field: String) -> Set<CInt> { signalSet(field, of: proc.pid) }
}

/// The signals in one of the sets of /proc/PID/status.
func signalSet(_ field: String, of pid: Int32) -> Set<CInt> {
    let lines = (readFile("/proc/\(pid)/status") ?? "").split(separator: "\n")
    let line = lines.first { $0.hasPrefix(field + ":") }
    let bits = line.flatMap { UInt64($0.dropFirst(field.count + 1).drop { $0 == "\t" }, radix: 16) }
    return Set((1...64).filter { (bits ?? 0) >> UInt64($0 - 1) & 1 == 1 })
}
