// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// Sees whether a server is idle, from one look to the next.
///
/// A thread that has been woken is runnable at once, and the kernel then says `running` of it, so two
/// equal looks, with nothing in between, mean that it sleeps. A process without threads has gone.
public struct Idleness {
    private var before: [ProcFS.Thread] = []

    /// Nothing has been seen yet.
    public init() {}

    /// Looks at the server, and says whether each of its threads has been blocked in one call since the
    /// last look.
    public mutating func continues(in server: ServerProcess) -> Bool {
        let now = server.proc.threads()
        defer { before = now }
        return !now.isEmpty && now == before && now.allSatisfy { $0.call != nil }
    }

    /// What the threads were doing at the last look.
    public var threads: [ProcFS.Thread] { before }
}

/// What a server waits in. None of these asks the clock: a parked thread is a fact of the kernel.
extension ServerProcess {
    /// Waits until every thread is blocked in a call, and gives what each is blocked in.
    ///
    /// - Throws: `CheckFailure` when some thread keeps running up to the deadline.
    @discardableResult
    public func waitUntilParked() throws(CheckFailure) -> [ProcFS.Thread] {
        var idleness = Idleness()
        let start = proc.cpuNanoseconds
        let since = Deadline.nanoseconds()
        var turns = 0
        do {
            try wait(for: Self.rest) { () throws(CheckFailure) in
                turns += 1
                // What has run for so long will not rest: there is no need to wait for the deadline.
                if turns % 100 == 0, self.proc.cpuNanoseconds - start > Self.patience {
                    throw self.failure(expected: Self.rest, found: "")
                }
                return idleness.continues(in: self)
            }
        } catch {
            guard error.expected == Self.rest else { throw error }
            // The check's time may have been up before the first look.
            if let threads = restingThreads() { return threads }
            let used = (proc.cpuNanoseconds - start) / 1_000_000
            let passed = (Deadline.nanoseconds() - since) / 1_000_000
            throw error.retold(
                expected: "a server that waits in a system call while it has nothing to do",
                found: "it never rested: \(used) ms of processor time in \(passed) ms. \(activity)",
                cause:
                    "A loop asks the kernel again and again instead of letting one call wait; or the "
                    + "call that waits returns at once, because what it tells is not dealt with.")
        }
        return idleness.threads
    }

    private static let rest = "every thread to wait in a system call"

    /// Its threads, if each is blocked in a call, and stays there for two looks.
    private func restingThreads() -> [ProcFS.Thread]? {
        let before = proc.threads()
        process.waitForEnd(milliseconds: 2)
        let now = proc.threads()
        return !now.isEmpty && now == before && now.allSatisfy { $0.call != nil } ? now : nil
    }

    /// Waits until its threads are parked, and requires that `count` of them are in one of `calls`.
    /// - Parameter calls: The calls that will do, by number; see `SystemCall.reading`.
    /// - Parameter words: The calls as the learner knows them: `recvfrom`, `read or recv`.
    /// - Returns: The calls of those threads.
    @discardableResult
    public func requireParked(
        in calls: Set<Int32>, words: String, count: Int = 1, cause: String? = nil
    ) throws(CheckFailure) -> [SystemCall] {
        let threads = try waitUntilParked()
        let fitting = threads.compactMap(\.call).filter { calls.contains($0.number) }
        guard fitting.count >= count else {
            let who = count == 1 ? "a thread" : "\(count) threads"
            throw failure(
                expected: "\(who) waiting in \(words)", found: activity, cause: cause)
        }
        return fitting
    }

    /// Looks at the server now, for `isStuck` to compare with later.
    func look() -> [ProcFS.Thread] {
        ([process.pid] + descendants(of: process.pid)).map(ProcFS.init)
            .filter { $0.state != "Z" }.flatMap { $0.threads() }
    }

    /// Whether nothing will happen any more by itself: since an earlier look no thread has moved,
    /// and each is blocked in a call that waits without a time limit.
    func isStuck(since earlier: [ProcFS.Thread]) -> Bool {
        let now = look()
        return now == earlier && !now.isEmpty && now.allSatisfy { $0.call?.waitsForever == true }
    }

    /// Lets the server use so much processor time.
    /// - Parameter doing: When it does so, as in `while nothing comes`.
    public func runOn(_ doing: String, milliseconds: Int = 2) throws(CheckFailure) {
        let time = proc.cpuNanoseconds
        do {
            try wait(for: "a server that runs on \(doing)") {
                self.proc.cpuNanoseconds - time > milliseconds * 1_000_000
            }
        } catch  where error.kind == .failed && error.cause == nil {
            throw error.retold(
                cause:
                    "A call waits: its descriptor has no O_NONBLOCK. It is set with F_SETFL, not "
                    + "F_SETFD, and a connection does not get it from its listener.")
        }
    }
}
