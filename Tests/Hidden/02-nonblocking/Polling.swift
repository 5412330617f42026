import CLinux
import Glibc
import Harness
import Scenes

/// Servers that poll. They are never parked, so what is waited for is processor time of theirs: a
/// server that has used some has asked the kernel again and again, however slow the machine is.
extension ServerProcess {
    /// Lets the server use so much processor time, and requires that it does so without a pause.
    ///
    /// A thread that a call keeps waiting, or that sleeps, gives up the processor of itself, and the
    /// kernel counts that. One that is only taken off the processor, for another, does not.
    func requireNoRest(_ doing: String, milliseconds: Int = 10) throws(CheckFailure) {
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
}

extension CheckRun {
    /// Requires that no call of a traced server has waited since `start`.
    func requireNoWait(_ trace: SyscallTrace, since start: UInt64) throws(CheckFailure) {
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
    func awaitRefusals(
        _ count: Int, of calls: Set<Int32>, words: String, _ server: ServerProcess,
        _ trace: SyscallTrace, since start: UInt64
    ) throws(CheckFailure) {
        try server.wait(for: "\(counted(count, "call")) of \(words) refused with EAGAIN") {
            refusals(trace, of: calls, since: start) >= count
        }
    }

    /// How often calls of a kind have ended with EAGAIN.
    func refusals(
        _ trace: SyscallTrace, of calls: Set<Int32>, since start: UInt64, until end: UInt64 = .max
    ) -> Int {
        trace.events.filter {
            $0.kind == .call && $0.start >= start && $0.start < end && $0.result == -Int(EAGAIN)
                && !$0.isInjected && calls.contains($0.number)
        }.count
    }

    /// Two clients come to a traced server that polls; each is silent for a while, speaks, and leaves.
    /// - Returns: The moment at which it was ready.
    func pollTwoLateClients(_ trace: SyscallTrace) throws(CheckFailure) -> UInt64 {
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
}
