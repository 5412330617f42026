// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// What the kernel says of a server at the moment when a check fails: from it the likely cause is told.
package struct ServerFacts: Equatable, Sendable {
    /// A thread, what it is blocked in, and for whom it waits there.
    package struct Thread: Equatable, Sendable {
        package let id: Int32
        /// Nil while it runs.
        package let call: SystemCall?
        package let waitsFor: Awaited?

        package init(id: Int32, call: SystemCall?, waitsFor: Awaited? = nil) {
            (self.id, self.call, self.waitsFor) = (id, call, waitsFor)
        }
    }

    /// Whom a thread waits for in futex(2).
    package enum Awaited: Equatable, Sendable {
        /// For the end of this thread: pthread_join(3).
        case end(of: Int32)
        /// For a lock that this thread holds.
        case lock(of: Int32)
        /// For another thread, for whatever.
        case somebody
    }

    /// How it ended; nil while it runs.
    package var end: ExitStatus?
    /// Whether it was told to end.
    package var mayEnd = false
    /// The last lines of its standard error.
    package var words: [String] = []
    /// What its trace has kept; empty for a server that is not traced.
    package var history: [TraceEvent] = []
    package var threads: [Thread] = []
    package var sockets: [SocketFacts] = []
    /// The names of its clients, in the order in which they came.
    package var clients: [String] = []
    /// The names of the clients and senders, by their ports.
    package var names: [UInt16: String] = [:]
    /// Whether the check had let go of its clients when this was seen.
    package var isAfterwards = false

    /// A server of which nothing is known yet.
    package init() {}
}

extension ServerProcess {
    /// What the kernel says of it now.
    func facts() -> ServerFacts {
        var facts = ServerFacts()
        facts.end = exitStatus
        facts.mayEnd = mayEnd
        facts.words = lastWords
        facts.history = trace?.history ?? []
        facts.clients = visitors
        facts.names = names
        guard facts.end == nil else { return facts }
        facts.threads = proc.threads().map { thread in
            let waitsFor = thread.call.flatMap { awaited($0, threads: proc.threadIDs()) }
            return ServerFacts.Thread(id: thread.id, call: thread.call, waitsFor: waitsFor)
        }
        facts.sockets = socketFacts()
        return facts
    }

    /// A failure that carries what the kernel says of the server now.
    func failure(expected: String, found: String, cause: String? = nil) -> CheckFailure {
        var failure = CheckFailure(expected: expected, found: found, cause: cause)
        failure.facts = facts()
        return failure
    }

    /// Takes note of a client, so that a failure can call it by its name.
    func register(_ name: String, port: UInt16, comesInTurn: Bool) {
        names[port] = name
        if comesInTurn { visitors.append(name) }
    }

    /// Whom a thread waits for in futex(2). glibc's pthread_join waits while the word is the joined
    /// thread's id; a lock that knows its owner has that thread's id in the word itself (FUTEX_LOCK_PI,
    /// as in Swift's Mutex) or eight bytes after it (pthread_mutex_t).
    private func awaited(_ call: SystemCall, threads: [Int32]) -> ServerFacts.Awaited? {
        guard call.name == "futex" else { return nil }
        let expected = Int32(truncatingIfNeeded: call.arguments[2])
        let isWait = [0, 9].contains(call.arguments[1] & 0x7f)
        if isWait, threads.contains(expected) { return .end(of: expected) }
        let words = CallMemory.values(
            Int32.self, in: CallMemory.read(proc.pid, call.arguments[0], 12))
        guard words.count == 3 else { return .somebody }
        if !isWait, threads.contains(words[0] & 0x3fff_ffff) {
            return .lock(of: words[0] & 0x3fff_ffff)
        }
        return threads.contains(words[2]) ? .lock(of: words[2]) : .somebody
    }
}
