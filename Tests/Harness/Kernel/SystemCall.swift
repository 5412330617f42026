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
    package init(number: Int32, arguments: [UInt64]) {
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

    /// What the course knows of it.
    package var row: CallRow? { CallRow.byNumber[number] }

    /// The call's name in the manual, or `system call 123`.
    public var name: String { row?.name ?? "system call \(number)" }

    /// The first argument: the descriptor, for the calls that take one.
    public var descriptor: CInt { CInt(truncatingIfNeeded: arguments[0]) }

    /// As the figures write it: `read(5)`, `accept(3)`, `poll`.
    public var description: String {
        row?.takesDescriptor == true ? "\(name)(\(descriptor))" : name
    }

    /// The calls that wait for bytes of one socket.
    public static let reading = calls(.reading)
    /// The call that waits for several datagrams of one socket.
    public static let readingMany = calls(.readingMany)
    /// The calls that wait for room in one socket.
    public static let writing = calls(.writing)
    /// The calls that wait for a client.
    public static let accepting = calls(.accepting)
    /// `select` and `pselect`. On arm64 there is pselect only.
    public static let inSelect = calls(.selecting)
    /// `poll` and `ppoll`. On arm64 there is ppoll only.
    public static let inPoll = calls(.polling)
    /// The calls that wait for an event of an interest list.
    public static let waitingInEpoll = calls(.waitingInEpoll)

    private static func calls(_ kind: CallRow.Kind) -> Set<Int32> {
        Set(CallRow.all.filter { $0.kind == kind }.map(\.number))
    }

    /// Whether it waits for as long as it takes: no other thread is needed to know that nothing
    /// happens until something comes from outside.
    public var waitsForever: Bool {
        switch row?.wait ?? .never {
        case .never: false
        case .forever: true
        case .ifNull(let index): arguments[index] == 0
        case .ifNegative(let index): Int32(truncatingIfNeeded: arguments[index]) < 0
        case .ifCompletionsAreAsked:
            arguments[2] > 0 && arguments[3] & UInt64(IORING_ENTER_EXT_ARG) == 0
        }
    }

    /// Its MSG_ flags; 0 for a call that takes none. See recv(2), send(2).
    package var messageFlags: CInt {
        row?.flags.map { CInt(truncatingIfNeeded: arguments[$0]) } ?? 0
    }

    /// Whether it was told not to wait, by MSG_DONTWAIT. See recv(2).
    public var mustNotWait: Bool { messageFlags & CInt(MSG_DONTWAIT) != 0 }

    /// The numbers of calls by their names in the manual; what this architecture has not is left out.
    public static func numbers(named wanted: [String]) -> Set<Int32> {
        Set(CallRow.all.filter { wanted.contains($0.name) }.map(\.number))
    }
}
