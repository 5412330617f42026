// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What the course knows of one system call: the only place where it does. Which calls are traced,
/// which wait, how they are written and what they lead to in memory all come from these rows.
package struct CallRow: Sendable {
    /// What a call does, as far as a server of this course is concerned.
    package enum Kind: Sendable {
        /// Waits for bytes of one socket; the same for several datagrams.
        case reading, readingMany
        /// Waits for room in one socket; the same for several datagrams.
        case writing, writingMany
        /// Waits for a client.
        case accepting
        /// Waits for one of many descriptors, told at each call; or, for epoll, told before.
        case selecting, polling, waitingInEpoll
        /// Changes an interest list.
        case changingInterest
        /// Starts a thread or a process.
        case starting
        /// Lets time pass.
        case sleeping
        /// Changes or asks for what one descriptor is: its options, its end.
        case managing
        /// Anything else.
        case other
    }

    /// How to see that a call waits for as long as it takes.
    package enum Wait: Sendable {
        /// It does not, or nobody can tell.
        case never
        /// It does.
        case forever
        /// It does when this argument, a pointer to a time, is null.
        case ifNull(Int)
        /// It does when this argument, a number of milliseconds, is negative.
        case ifNegative(Int)
        /// io_uring_enter: it does when it asks for completions, with no time limit among its
        /// extended arguments.
        case ifCompletionsAreAsked
    }

    /// When a tracer stops a server at it.
    package enum Tracing: Sendable {
        /// Only when a check asks for it.
        case onRequest
        /// Always: a server of this course could serve its clients with it, or wait in it.
        case serving
        /// Always, and it does not count as a call of the model: it tells why something went wrong.
        case telling
    }

    /// Its number on this architecture, as in `SYS_read`.
    package let number: Int32
    /// Its name in the manual.
    package let name: String
    package var kind = Kind.other
    /// Whether its first argument is a descriptor.
    package var takesDescriptor = false
    package var wait = Wait.never
    package var tracing = Tracing.onRequest
    /// Which argument says how many bytes it may copy; nil if none does.
    package var count: Int?
    /// Which argument has its MSG_ flags; nil if none has.
    package var flags: Int?

    /// A call of which nothing but the name is known.
    init(named number: Int32, _ name: String) {
        self.number = number
        self.name = name
    }

    /// A call on one descriptor that a server could serve with, and that waits unless told otherwise.
    fileprivate static func onSocket(
        _ number: Int32, _ name: String, _ kind: Kind, count: Int? = nil, flags: Int? = nil
    ) -> CallRow {
        var row = CallRow(named: number, name)
        (row.kind, row.count, row.flags) = (kind, count, flags)
        (row.takesDescriptor, row.wait, row.tracing) = (true, .forever, .serving)
        return row
    }

    fileprivate static func serving(
        _ number: Int32, _ name: String, _ kind: Kind, _ wait: Wait = .never,
        takesDescriptor: Bool = false
    ) -> CallRow {
        var row = CallRow(named: number, name)
        (row.kind, row.wait, row.takesDescriptor) = (kind, wait, takesDescriptor)
        row.tracing = .serving
        return row
    }

    fileprivate static func telling(_ number: Int32, _ name: String) -> CallRow {
        var row = CallRow(named: number, name)
        (row.kind, row.takesDescriptor, row.tracing) = (.managing, true, .telling)
        return row
    }

    fileprivate static func waiting(_ number: Int32, _ name: String, _ wait: Wait) -> CallRow {
        var row = CallRow(named: number, name)
        row.wait = wait
        return row
    }
}

extension CallRow {
    /// Every row, by the call's number.
    package static let byNumber: [Int32: CallRow] = Dictionary(
        uniqueKeysWithValues: all.map { ($0.number, $0) })

    /// Every row.
    package static let all: [CallRow] = onSockets + onMany + others + named + onThisArchitecture

    private static let onSockets: [CallRow] = [
        .onSocket(SYS_read, "read", .reading, count: 2),
        .onSocket(SYS_readv, "readv", .reading),
        .onSocket(SYS_recvfrom, "recvfrom", .reading, count: 2, flags: 3),
        .onSocket(SYS_recvmsg, "recvmsg", .reading, flags: 2),
        .onSocket(SYS_recvmmsg, "recvmmsg", .readingMany, flags: 3),
        .onSocket(SYS_write, "write", .writing, count: 2),
        .onSocket(SYS_writev, "writev", .writing),
        .onSocket(SYS_sendto, "sendto", .writing, count: 2, flags: 3),
        .onSocket(SYS_sendmsg, "sendmsg", .writing, flags: 2),
        .onSocket(SYS_sendmmsg, "sendmmsg", .writingMany, flags: 3),
        .onSocket(SYS_sendfile, "sendfile", .other),
        .onSocket(SYS_splice, "splice", .other),
        .onSocket(SYS_accept, "accept", .accepting),
        .onSocket(SYS_accept4, "accept4", .accepting),
        .telling(SYS_close, "close"), .telling(SYS_shutdown, "shutdown"),
        .telling(SYS_setsockopt, "setsockopt"), .telling(SYS_getsockopt, "getsockopt"),
        .telling(SYS_fcntl, "fcntl"), .telling(SYS_connect, "connect"),
        .telling(SYS_bind, "bind"), .telling(SYS_listen, "listen"),
    ]

    private static let onMany: [CallRow] = [
        .serving(SYS_ppoll, "ppoll", .polling, .ifNull(2)),
        .serving(SYS_pselect6, "pselect6", .selecting, .ifNull(4)),
        .serving(
            SYS_epoll_pwait, "epoll_pwait", .waitingInEpoll, .ifNegative(3), takesDescriptor: true),
        .serving(
            SYS_epoll_pwait2, "epoll_pwait2", .waitingInEpoll, .ifNull(3), takesDescriptor: true),
        .serving(SYS_epoll_ctl, "epoll_ctl", .changingInterest, takesDescriptor: true),
        .serving(
            SYS_io_uring_enter, "io_uring_enter", .other, .ifCompletionsAreAsked,
            takesDescriptor: true),
    ]

    private static let others: [CallRow] = [
        .serving(SYS_nanosleep, "nanosleep", .sleeping),
        .serving(SYS_clock_nanosleep, "clock_nanosleep", .sleeping),
        .serving(SYS_rt_sigtimedwait, "rt_sigtimedwait", .other, .ifNull(2)),
        .serving(SYS_clone, "clone", .starting), .serving(SYS_clone3, "clone3", .starting),
        .waiting(SYS_futex, "futex", .ifNull(3)),
        .waiting(SYS_mq_timedreceive, "mq_timedreceive", .ifNull(4)),
        .waiting(SYS_wait4, "wait4", .forever), .waiting(SYS_waitid, "waitid", .forever),
        .waiting(SYS_rt_sigsuspend, "rt_sigsuspend", .forever),
    ]

    private static let onThisArchitecture: [CallRow] = {
        #if arch(x86_64)
            [
                .serving(SYS_poll, "poll", .polling, .ifNegative(2)),
                .serving(SYS_select, "select", .selecting, .ifNull(4)),
                .serving(
                    SYS_epoll_wait, "epoll_wait", .waitingInEpoll, .ifNegative(3),
                    takesDescriptor: true),
                .serving(SYS_fork, "fork", .starting), .serving(SYS_vfork, "vfork", .starting),
                .waiting(SYS_pause, "pause", .forever),
            ] + namedOnThisArchitecture
        #else
            []
        #endif
    }()
}

extension SyscallTrace {
    /// Every call that a server of this course could serve its clients with, or wait in.
    public static var serving: SyscallTrace { SyscallTrace(calls: servingCalls) }

    /// The calls of `serving`.
    public static let servingCalls = calls { $0 == .serving }
    static let tellingCalls = calls { $0 == .telling }

    private static func calls(_ isMeant: (CallRow.Tracing) -> Bool) -> Set<Int32> {
        Set(CallRow.all.filter { isMeant($0.tracing) }.map(\.number))
    }
}
