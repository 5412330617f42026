import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// What the suite of poll-echo looks at: the rows of its array.
extension ServerProcess {
    /// The rows of the poll that it rests in.
    /// - Throws: `CheckFailure` when a poll says POLLNVAL, when a row is there twice, or when the
    ///   server does not come to rest.
    func restingRows(_ trace: SyscallTrace) throws(CheckFailure) -> [Interest] {
        var rows: [Interest]?
        try wait(for: "the server to wait in poll") { () throws(CheckFailure) in
            let polls = trace.polls
            for poll in polls { try requireOpen(poll) }
            let threads = proc.threads()
            let isInPoll = threads.allSatisfy {
                $0.call.map { SystemCall.inPoll.contains($0.number) } ?? false
            }
            rows = isInPoll && polls.last?.result == nil ? polls.last?.interests : nil
            return rows != nil
        }
        return rows ?? []
    }

    /// Requires that the poll it rests in asks for room (POLLOUT) in so many rows.
    func requireRoomAskedFor(_ count: Int, _ why: String) throws(CheckFailure) {
        let rows = try restingPollRows()
        let asking = rows.filter { $0.descriptor >= 0 && $0.has(POLLOUT) }.count
        guard asking == count else {
            throw CheckFailure(
                expected: "POLLOUT in \(counted(count, "row")), because \(why)",
                found: "POLLOUT in \(asking) of \(counted(rows.count, "row"))")
        }
    }

    private func requireOpen(_ poll: TraceEvent) throws(CheckFailure) {
        if let closed = poll.ready.first(where: { $0.has(POLLNVAL) }) {
            throw CheckFailure(
                expected: "an array in which every descriptor is open",
                found: "poll said POLLNVAL of descriptor \(closed.descriptor): it is closed.")
        }
        // Two rows for one socket, each for an event of its own, would be no mistake.
        let asking = poll.interests.filter { $0.descriptor >= 0 && $0.events != 0 }
        let groups = Dictionary(grouping: asking) { "\($0.descriptor) \($0.events)" }.values
        if let twice = groups.first(where: { $0.count > 1 })?.first {
            throw CheckFailure(
                expected: "an array with one row for each descriptor",
                found: "descriptor \(twice.descriptor) has two rows that ask for the same: one of "
                    + "them was a client's that has left")
        }
    }
}
