// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// A system call that a thread is blocked in, as /proc/PID/task/TID/syscall gives it.
public struct SystemCall: Equatable, Sendable {
    /// The call's number on this architecture, as in `SYS_read`.
    public let number: Int32
    /// Its six arguments, as the registers held them.
    public let arguments: [UInt64]

    /// A call that a tracer has seen.
    init(number: Int32, arguments: [UInt64]) {
        self.number = number
        self.arguments = arguments
    }

    /// Reads the kernel's line. Nil for `running`, and for a thread that sleeps outside of any
    /// call. See proc_pid_syscall(5).
    package init?(_ line: String) {
        let words = line.split { $0 == " " || $0 == "\n" }
        guard words.count >= 7, let number = Int32(words[0]), number >= 0 else { return nil }
        self.number = number
        arguments = words[1...6].compactMap { UInt64($0.dropFirst(2), radix: 16) }
    }

    /// The call's name in the manual, or `system call 123`.
    public var name: String { Self.names[number] ?? "system call \(number)" }

    /// The first argument: the descriptor, for the calls that take one.
    public var descriptor: CInt { CInt(truncatingIfNeeded: arguments[0]) }

    /// As the figures write it: `read(5)`, `accept(3)`, `poll`.
    public var description: String { takesDescriptor ? "\(name)(\(descriptor))" : name }

    /// The calls that wait for bytes of one socket.
    public static let reading: Set<Int32> = [SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg]
    /// The call that waits for several datagrams of one socket.
    public static let readingMany: Set<Int32> = [SYS_recvmmsg]
    /// The calls that wait for room in one socket.
    public static let writing: Set<Int32> = [SYS_write, SYS_writev, SYS_sendto, SYS_sendmsg]
    /// The calls that wait for a client.
    public static let accepting: Set<Int32> = [SYS_accept, SYS_accept4]

    /// `select` and `pselect`.
    public static let inSelect = numbers(named: ["select", "pselect6"])
    /// `poll` and `ppoll`. On arm64 there is ppoll only.
    public static let inPoll = numbers(named: ["poll", "ppoll"])

    /// The calls that wait for an event of an interest list.
    public static let waitingInEpoll: Set<Int32> = {
        #if arch(x86_64)
            [SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2]
        #else
            [SYS_epoll_pwait, SYS_epoll_pwait2]
        #endif
    }()

    /// Whether it waits for as long as it takes: no other thread is needed to know that nothing
    /// happens until something comes from outside.
    public var waitsForever: Bool {
        if takesDescriptor { return true }
        let last = arguments
        switch number {
        case SYS_futex: return last[3] == 0
        case SYS_ppoll: return last[2] == 0
        case SYS_pselect6: return last[4] == 0
        case SYS_epoll_pwait: return Int32(truncatingIfNeeded: last[3]) < 0
        case SYS_rt_sigtimedwait: return last[2] == 0
        case SYS_epoll_pwait2: return last[3] == 0
        case SYS_mq_timedreceive: return last[4] == 0
        case SYS_wait4, SYS_waitid, SYS_rt_sigsuspend: return true
        default: break
        }
        #if arch(x86_64)
            switch number {
            case SYS_poll: return Int32(truncatingIfNeeded: last[2]) < 0
            case SYS_epoll_wait: return Int32(truncatingIfNeeded: last[3]) < 0
            case SYS_select: return last[4] == 0
            case SYS_pause: return true
            default: break
            }
        #endif
        return false
    }

    /// Whether it was told not to wait, by MSG_DONTWAIT. See recv(2).
    public var mustNotWait: Bool {
        let flags: UInt64
        switch number {
        case SYS_recvfrom, SYS_sendto, SYS_recvmmsg, SYS_sendmmsg: flags = arguments[3]
        case SYS_recvmsg, SYS_sendmsg: flags = arguments[2]
        default: return false
        }
        return flags & UInt64(MSG_DONTWAIT) != 0
    }

    private var takesDescriptor: Bool {
        Self.reading.contains(number) || Self.readingMany.contains(number)
            || Self.writing.contains(number) || Self.accepting.contains(number)
    }

    /// The numbers of calls by their names in the manual; what this architecture has not is left out.
    public static func numbers(named wanted: [String]) -> Set<Int32> {
        Set(names.filter { wanted.contains($0.value) }.keys)
    }

    private static let names: [Int32: String] = {
        var names: [Int32: String] = [
            SYS_read: "read", SYS_readv: "readv", SYS_recvfrom: "recvfrom", SYS_recvmsg: "recvmsg",
            SYS_recvmmsg: "recvmmsg", SYS_write: "write", SYS_writev: "writev",
            SYS_sendto: "sendto", SYS_sendmsg: "sendmsg", SYS_accept: "accept",
            SYS_accept4: "accept4", SYS_ppoll: "ppoll", SYS_pselect6: "pselect6",
            SYS_epoll_pwait: "epoll_pwait", SYS_epoll_pwait2: "epoll_pwait2", SYS_futex: "futex",
            SYS_nanosleep: "nanosleep",
            SYS_clock_nanosleep: "clock_nanosleep", SYS_rt_sigtimedwait: "rt_sigtimedwait",
            SYS_rt_sigsuspend: "rt_sigsuspend", SYS_wait4: "wait4", SYS_waitid: "waitid",
            SYS_restart_syscall: "restart_syscall", SYS_openat: "openat", SYS_close: "close",
            SYS_socket: "socket", SYS_bind: "bind", SYS_listen: "listen", SYS_connect: "connect",
            SYS_setsockopt: "setsockopt", SYS_getsockopt: "getsockopt",
            SYS_getsockname: "getsockname", SYS_shutdown: "shutdown", SYS_fcntl: "fcntl",
            SYS_ioctl: "ioctl", SYS_sendmmsg: "sendmmsg", SYS_sendfile: "sendfile",
            SYS_splice: "splice", SYS_epoll_create1: "epoll_create1", SYS_epoll_ctl: "epoll_ctl",
            SYS_io_uring_enter: "io_uring_enter", SYS_clone: "clone", SYS_clone3: "clone3",
            SYS_setitimer: "setitimer", SYS_timer_create: "timer_create",
            SYS_timerfd_create: "timerfd_create", SYS_execve: "execve",
            SYS_mq_timedreceive: "mq_timedreceive",
        ]
        #if arch(x86_64)
            names[SYS_poll] = "poll"
            names[SYS_select] = "select"
            names[SYS_epoll_wait] = "epoll_wait"
            names[SYS_pause] = "pause"
            names[SYS_alarm] = "alarm"
            names[SYS_fork] = "fork"
            names[SYS_vfork] = "vfork"
        #endif
        return names
    }()
}
