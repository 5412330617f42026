import CLinux
import Glibc
import Harness

/// The calls that `select` and `pselect` are for the kernel.
let selecting: Set<Int32> = {
    var calls: Set<Int32> = [SYS_pselect6]
    #if arch(x86_64)
        calls.insert(SYS_select)
    #endif
    return calls
}()

/// All calls that take a client's bytes or a datagram.
let taking = SystemCall.reading.union(SystemCall.readingMany)

/// The descriptors in the three sets of a select that waits.
struct Asked {
    let readable: Set<CInt>
    let writable: Set<CInt>
    let exceptional: Set<CInt>
}

extension SyscallTrace {
    /// Every select so far.
    var selects: [TraceEvent] {
        events.filter { $0.kind == .call && selecting.contains($0.number) }
    }
}

extension ServerProcess {
    /// Waits until the server rests, and requires that it does so in select, with no time limit.
    @discardableResult
    func requireParkedInSelect(words: String = "select") throws(CheckFailure) -> SystemCall {
        let calls = try requireParked(
            in: selecting, words: words,
            cause: "The model of this chapter is one call that waits for all sockets. No other "
                + "call may wait: set O_NONBLOCK on each socket, the listener too.")
        guard proc.threadIDs().count == 1 else {
            throw CheckFailure(
                expected: "one thread", found: "\(proc.threadIDs().count) threads. \(activity)")
        }
        guard calls[0].arguments[4] == 0 else {
            throw CheckFailure(
                expected: "\(words) without a time limit",
                found: "its time limit wakes the server although nothing has come",
                cause:
                    "Pass nil: there is nothing to do before a socket is ready. Linux also writes "
                    + "the time that is left into select's timeval, so that it is soon zero.")
        }
        return calls[0]
    }

    /// What the select asks in which the server rests. While it waits, its sets still hold the
    /// question: the kernel writes the answer when the call returns.
    func askedAtRest() throws(CheckFailure) -> Asked {
        let call = try requireParkedInSelect()
        let size = (max(Int(Int32(truncatingIfNeeded: call.arguments[0])), 0) + 63) / 64 * 8
        var sets: [Set<CInt>] = []
        for index in 1...3 {
            let set = try memory(at: call.arguments[index], count: size)
            let members = (0..<(set.count * 8)).filter { set[$0 / 8] >> ($0 % 8) & 1 == 1 }
            sets.append(Set(members.map { CInt($0) }))
        }
        return Asked(readable: sets[0], writable: sets[1], exceptional: sets[2])
    }
}

extension [Interest] {
    /// The descriptors that are asked about for one of select's sets.
    func descriptors(_ event: CInt) -> Set<CInt> {
        Set(filter { $0.events & UInt32(event) != 0 }.map(\.descriptor))
    }
}

/// Descriptors in order, for a message: `3, 4, 7`.
func listed(_ descriptors: Set<CInt>) -> String {
    descriptors.isEmpty ? "none" : descriptors.sorted().map(String.init).joined(separator: ", ")
}
