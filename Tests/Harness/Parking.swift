// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// What a server waits in. None of these asks the clock: a parked thread is a fact of the kernel.
extension ServerProcess {
    /// Waits until every thread is blocked in a call, and gives what each is blocked in.
    ///
    /// A thread that has been woken is runnable at once, and the kernel then says `running` of it,
    /// so two equal looks, with nothing in between, mean that it sleeps.
    /// - Throws: `CheckFailure` when some thread keeps running up to the deadline.
    @discardableResult
    public func waitUntilParked() throws(CheckFailure) -> [ProcFS.Thread] {
        var before: [ProcFS.Thread] = []
        let start = proc.cpuNanoseconds
        let since = Deadline.nanoseconds()
        var turns = 0
        do {
            try wait(for: "every thread to wait in a system call") { () throws(CheckFailure) in
                let now = self.proc.threads()
                defer { before = now }
                turns += 1
                // What has run for so long will not rest: there is no need to wait for the deadline.
                if turns % 100 == 0, self.proc.cpuNanoseconds - start > Self.patience {
                    throw CheckFailure(expected: "every thread to wait in a system call", found: "")
                }
                return !now.isEmpty && now == before && now.allSatisfy { $0.call != nil }
            }
        } catch {
            guard error.expected == "every thread to wait in a system call" else { throw error }
            let used = (proc.cpuNanoseconds - start) / 1_000_000
            let passed = (Deadline.nanoseconds() - since) / 1_000_000
            throw CheckFailure(
                expected: "a server that waits in a system call while it has nothing to do",
                found: "it never rested: \(used) ms of processor time in \(passed) ms. \(activity)",
                cause:
                    "A loop asks the kernel again and again instead of letting one call wait; or the "
                    + "call that waits returns at once, because what it tells is not dealt with.")
        }
        return before
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
            throw CheckFailure(
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
}
