// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// One system call of a traced server, or something else that happened to one of its threads.
public struct TraceEvent: Codable, Equatable, Sendable {
    /// What happened.
    public enum Kind: String, Codable, Sendable {
        /// A system call.
        case call
        /// A thread or process was started; `result` is its id.
        case start
        /// A new program began in the process.
        case exec
        /// A signal was delivered; `number` is its number.
        case signal
        /// The thread ended.
        case end
    }

    /// What happened.
    public let kind: Kind
    /// The thread that it happened to.
    public let thread: Int32
    /// The call's number, as in `SYS_read`; of a signal its number; otherwise 0.
    public let number: Int32
    /// The call's six arguments, as the registers held them.
    public let arguments: [UInt64]
    /// What the call returned, negative for an error number; nil while it has not returned.
    public var result: Int?
    /// When it began, in nanoseconds of the monotonic clock.
    public let start: UInt64
    /// When it returned; nil while it has not.
    public var end: UInt64?
    /// Whether the thread gave up the processor in it: it had to wait.
    public var hasWaited = false
    /// Whether the harness changed what the call did, or returned.
    public var isInjected = false
    /// Of a signal that the harness has placed: the number of the call just before which it came.
    var before: Int32?
    /// Of epoll_wait: the descriptor of each event, where the trace knows whose `data` it has.
    package var sources: [CInt?] = []
    /// What the arguments of select, poll, epoll_ctl and setsockopt led to in the server's memory, at
    /// the call.
    var asked: [UInt8] = []
    /// The same of select, poll and epoll_wait, when it returned.
    var answered: [UInt8] = []

    /// An event, as a tracer makes it.
    package init(
        kind: Kind, thread: Int32, number: Int32, arguments: [UInt64], result: Int? = nil,
        start: UInt64, end: UInt64? = nil, isInjected: Bool = false, before: Int32? = nil,
        sources: [CInt?] = [], asked: [UInt8] = [], answered: [UInt8] = []
    ) {
        (self.kind, self.thread, self.number, self.arguments) = (kind, thread, number, arguments)
        (self.result, self.start, self.end, self.before) = (result, start, end, before)
        (self.isInjected, self.sources) = (isInjected, sources)
        (self.asked, self.answered) = (asked, answered)
    }

    /// The bytes that it has copied from or to the program's memory. With MSG_TRUNC the result may be
    /// more than what fitted. See recv(2).
    public var copiedBytes: Int {
        guard let result, result > 0, let row = call.row,
            row.kind == .reading || row.kind == .writing
        else { return 0 }
        return row.count.map { min(result, Int(clamping: arguments[$0])) } ?? result
    }

    /// Whether it writes to standard output or standard error, and so to no client.
    public var writesToAStream: Bool {
        kind == .call && SystemCall.writing.contains(number)
            && [STDOUT_FILENO, STDERR_FILENO].contains(call.descriptor)
    }

    /// The call itself.
    public var call: SystemCall { SystemCall(number: number, arguments: arguments) }
}

/// A fault that the kernel is made to show: at the n-th call of a kind, always the same way.
public struct Injection: Sendable {
    /// What happens instead.
    public enum Effect: Sendable {
        /// The call is not made, and fails with this error number.
        case fail(CInt)
        /// The call is made for so many bytes at most, as if no more had come or fitted.
        case shorten(to: UInt64)
        /// The program is kept just before the call, for a while.
        case hold
    }

    /// What happens to the call.
    let effect: Effect
    /// Which of the calls is hit, counted from 1; nil for each of them.
    let nth: Int?
    /// The calls that count.
    let calls: Set<Int32>
    /// The lowest descriptor on which they count.
    let lowest: UInt64

    /// Whether a call is one of those that count.
    func hits(_ stop: trace_stop) -> Bool {
        calls.contains(Int32(truncatingIfNeeded: stop.number)) && stop.arguments.0 >= lowest
    }
}
