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
    /// What the arguments of select, poll and epoll_ctl led to in the server's memory, at the call.
    var asked: [UInt8] = []
    /// The same of select, poll and epoll_wait, when it returned.
    var answered: [UInt8] = []

    /// The bytes that it has copied from or to the program's memory. With MSG_TRUNC the result may be
    /// more than what fitted. See recv(2).
    public var copiedBytes: Int {
        guard let result, result > 0 else { return 0 }
        let singles = [SYS_read, SYS_recvfrom, SYS_write, SYS_sendto]
        if singles.contains(number) { return min(result, Int(clamping: arguments[2])) }
        let vectors = [SYS_readv, SYS_writev, SYS_recvmsg, SYS_sendmsg]
        return vectors.contains(number) ? result : 0
    }

    /// Whether it writes to standard output or standard error, and so to no client.
    public var writesToAStream: Bool {
        [SYS_write, SYS_writev].contains(number)
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
