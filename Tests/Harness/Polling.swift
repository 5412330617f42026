// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// Servers that poll. They are never parked, so what is waited for is processor time of theirs: a
/// server that has used some has asked the kernel again and again, however slow the machine is.
extension ServerProcess {
    /// Lets the server use so much processor time.
    /// - Parameter doing: When it does so, as in `while nothing comes`.
    public func runOn(_ doing: String, milliseconds: Int = 2) throws(CheckFailure) {
        let time = proc.cpuNanoseconds
        do {
            try wait(for: "a server that runs on \(doing)") {
                self.proc.cpuNanoseconds - time > milliseconds * 1_000_000
            }
        } catch  where error.kind == .failed && error.cause == nil {
            throw CheckFailure(
                expected: error.expected, found: error.found,
                cause:
                    "A call waits: its descriptor has no O_NONBLOCK. It is set with F_SETFL, not "
                    + "F_SETFD, and a connection does not get it from its listener.")
        }
    }

    /// Lets the server use so much processor time, and requires that it does so without a pause.
    ///
    /// A thread that a call keeps waiting, or that sleeps, gives up the processor of itself, and the
    /// kernel counts that. One that is only taken off the processor, for another, does not.
    public func requireNoRest(_ doing: String, milliseconds: Int = 10) throws(CheckFailure) {
        let time = proc.cpuNanoseconds
        let before = rests
        let pauses = 20
        try wait(for: "a loop that asks again and again \(doing)") {
            self.rests - before > pauses
                || self.proc.cpuNanoseconds - time > milliseconds * 1_000_000
        }
        let count = rests - before
        guard count <= pauses else {
            let used = (proc.cpuNanoseconds - time) / 100_000
            throw CheckFailure(
                expected: "a loop that asks again and again \(doing), without a pause",
                found: "in \(used / 10).\(used % 10) ms of processor time it has slept "
                    + "\(count) times. \(activity)",
                cause: "A call waits: the descriptor has no O_NONBLOCK, or something else in the "
                    + "loop lets time pass. What comes meanwhile has to wait, too.")
        }
    }

    /// How often its threads have given up the processor of themselves.
    private var rests: Int { proc.threads().reduce(0) { $0 + $1.voluntarySwitches } }

    /// Sends to an echo server and reads nothing, until neither side takes another byte: the server
    /// has run on for a while, and still the client's send buffer is full.
    /// - Returns: How many bytes were sent. All of them, if the server takes whatever comes.
    public func fill(
        _ run: CheckRun, _ client: TCPClient, with bytes: [UInt8],
        _ observe: () throws(CheckFailure) -> Void = {}
    ) throws(CheckFailure) -> Int {
        run.transcript.add("\(client.name) sends, and reads nothing, until no more bytes fit")
        var sent = 0
        var time = proc.cpuNanoseconds
        try wait(for: "the server to stop reading from \(client.name)") {
            () throws(CheckFailure) in
            try observe()
            let end = min(sent + (1 << 18), bytes.count)
            let taken = try client.sendWhatFits(bytes[sent..<end])
            sent += taken
            if taken > 0 { time = self.proc.cpuNanoseconds }
            if sent == bytes.count { return true }
            return self.proc.cpuNanoseconds - time > 5_000_000
        }
        run.transcript.add("\(client.name) has sent \(counted(sent, "byte"))")
        return sent
    }

    /// Reads back what a client has sent, some at a time, and sends the rest of `bytes` meanwhile.
    public func drain(
        _ client: TCPClient, _ bytes: [UInt8], sent already: Int
    ) throws(CheckFailure) {
        var sent = already
        var received = 0
        while received < bytes.count {
            let end = min(received + 100_000, sent)
            try client.receive(Array(bytes[received..<end]))
            received = end
            let next = min(sent + (1 << 18), bytes.count)
            if sent < next { sent += try client.sendWhatFits(bytes[sent..<next]) }
        }
    }

    /// Waits until it has no more descriptors than before, after clients that have left.
    public func requireClosed(
        _ before: Int, after clients: String
    ) throws(CheckFailure) {
        let time = proc.cpuNanoseconds
        var count = proc.descriptors().count
        try wait(for: "\(before) open descriptors, as before \(clients)") {
            count = self.proc.descriptors().count
            return count <= before || self.proc.cpuNanoseconds - time > 200_000_000
        }
        guard count > before else { return }
        throw CheckFailure(
            expected: "\(before) open descriptors, as before \(clients)",
            found: "\(count), so \(count - before) are left")
    }
}

extension CheckRun {
    /// Many bytes, made quickly: a random block of odd length, again and again. A server that polls uses
    /// the processor meanwhile, and so does whoever makes the bytes.
    public func manyBytes(_ count: Int) -> [UInt8] {
        let block = random.bytes(1_000_003)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count { bytes += block }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Requires that no call of a traced server has waited since `start`.
    public func requireNoWait(_ trace: SyscallTrace, since start: UInt64) throws(CheckFailure) {
        let calls = trace.events.filter { $0.kind == .call && $0.start >= start }
        let waiting = calls.filter(\.hasWaited)
        guard let first = waiting.first else { return }
        let lasted = ((first.end ?? first.start) - first.start) / 1000
        throw CheckFailure(
            expected: "calls that all return at once",
            found: "\(waiting.count) of \(calls.count) calls had to wait; the first of them, "
                + "\(first.call.description), for \(lasted) µs",
            cause: "Its descriptor has no O_NONBLOCK, or a time limit (SO_RCVTIMEO) instead of it.")
    }

    /// Waits until a traced server has been told EAGAIN so often by calls of a kind.
    public func awaitRefusals(
        _ count: Int, of calls: Set<Int32>, words: String, _ server: ServerProcess,
        _ trace: SyscallTrace, since start: UInt64
    ) throws(CheckFailure) {
        try server.wait(for: "\(counted(count, "call")) of \(words) refused with EAGAIN") {
            refusals(trace, of: calls, since: start) >= count
        }
    }

    /// How often calls of a kind have ended with EAGAIN.
    public func refusals(
        _ trace: SyscallTrace, of calls: Set<Int32>, since start: UInt64, until end: UInt64 = .max
    ) -> Int {
        trace.events.filter {
            $0.kind == .call && $0.start >= start && $0.start < end && $0.result == -Int(EAGAIN)
                && !$0.isInjected && calls.contains($0.number)
        }.count
    }

    /// Two clients come to a traced server that polls; each is silent for a while, speaks, and leaves.
    /// - Returns: The moment at which it was ready.
    public func pollTwoLateClients(_ trace: SyscallTrace) throws(CheckFailure) -> UInt64 {
        let server = try startServer(trace: trace)
        // Before this it may still be announcing itself.
        try awaitRefusals(
            1, of: SystemCall.accepting, words: "accept", server, trace, since: 0)
        let start = Deadline.nanoseconds()
        for _ in 1...2 {
            try awaitRefusals(
                5, of: SystemCall.accepting, words: "accept", server, trace,
                since: Deadline.nanoseconds())
            let client = try connect(server)
            try awaitRefusals(
                5, of: SystemCall.reading, words: "read or recv", server, trace,
                since: Deadline.nanoseconds())
            try exchangeALine(with: client)
            client.close()
        }
        return start
    }

    /// Lets calls of a server that polls fail or take less, and requires that three clients do not
    /// notice.
    /// - Parameter prepare: Shows the faults to the trace.
    public func pollDespite(
        _ fault: String, _ prepare: (SyscallTrace) -> Void
    ) throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        prepare(trace)
        try despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...3 {
                let client = try connect(server)
                try exchangeALine(with: client)
                try exchangeALine(with: client)
                client.close()
            }
        }
    }
}
