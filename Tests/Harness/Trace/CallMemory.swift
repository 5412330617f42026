// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// One row of what a server asks the kernel to watch, or is told: of an fd_set, a pollfd array, or an
/// epoll_event.
public struct Interest: Equatable, Sendable {
    /// The descriptor; for an event of epoll_wait, whatever the server had put into `data`.
    public let descriptor: CInt
    /// `POLLIN`, `POLLOUT` and so on, which epoll's bits equal; of select's three sets `POLLIN`,
    /// `POLLOUT` and `POLLPRI`.
    public let events: UInt32
    /// The 64 bits of `data`, for epoll.
    public var data: UInt64 = 0

    /// A row.
    public init(descriptor: CInt, events: UInt32, data: UInt64 = 0) {
        self.descriptor = descriptor
        self.events = events
        self.data = data
    }
}

extension TraceEvent {
    /// What this select, poll or epoll_ctl asked to watch.
    public var interests: [Interest] {
        switch call.row?.kind {
        case .selecting: selected(asked)
        case .polling: polled(asked) { UInt32(UInt16(bitPattern: $0.events)) }
        case .changingInterest:
            epollEvents(asked, descriptor: CInt(truncatingIfNeeded: arguments[2]))
        default: []
        }
    }

    /// What this select, poll or epoll_wait said to be ready.
    public var ready: [Interest] {
        switch call.row?.kind {
        case .selecting: selected(answered)
        case .polling:
            polled(answered) { UInt32(UInt16(bitPattern: $0.revents)) }.filter { $0.events != 0 }
        case .waitingInEpoll: epollEvents(answered, descriptor: nil)
        default: []
        }
    }

    private func selected(_ sets: [UInt8]) -> [Interest] {
        let size = CallMemory.setSize(arguments)
        guard sets.count == 3 * size else { return [] }
        let bits = [POLLIN, POLLOUT, POLLPRI]
        // The kernel looks at no bit from the first argument on.
        let end = min(size * 8, max(Int(Int32(truncatingIfNeeded: arguments[0])), 0))
        return (0..<end).compactMap { descriptor in
            let events = (0..<3).reduce(Int32(0)) { sum, set in
                let byte = sets[set * size + descriptor / 8]
                return byte >> (descriptor % 8) & 1 == 1 ? sum | bits[set] : sum
            }
            return events == 0
                ? nil : Interest(descriptor: CInt(descriptor), events: UInt32(events))
        }
    }

    private func polled(_ bytes: [UInt8], _ events: (pollfd) -> UInt32) -> [Interest] {
        CallMemory.values(pollfd.self, in: bytes).map {
            Interest(descriptor: $0.fd, events: events($0))
        }
    }

    private func epollEvents(_ bytes: [UInt8], descriptor: CInt?) -> [Interest] {
        CallMemory.values(epoll_event.self, in: bytes).map {
            Interest(
                descriptor: descriptor ?? $0.data.fd, events: $0.events, data: $0.data.u64)
        }
    }
}

/// Reads what a call's arguments lead to, out of the memory of a stopped server.
enum CallMemory {
    /// At the call: the sets of select, the array of poll, the event of epoll_ctl.
    static func asked(_ stop: trace_stop, _ number: Int32, _ arguments: [UInt64]) -> [UInt8] {
        switch CallRow.byNumber[number]?.kind {
        case .selecting: sets(stop.thread, arguments)
        case .polling: array(pollfd.self, stop.thread, arguments[0], Int(clamping: arguments[1]))
        case .changingInterest:
            arguments[3] == 0 ? [] : array(epoll_event.self, stop.thread, arguments[3], 1)
        // Where a datagram goes.
        case .writing where number == SYS_sendto && arguments[4] != 0:
            read(stop.thread, arguments[4], MemoryLayout<sockaddr_in>.size)
        // No option of a socket that the course speaks of has a longer value.
        case .managing where number == SYS_setsockopt:
            read(stop.thread, arguments[3], min(Int(clamping: arguments[4]), 16))
        default: []
        }
    }

    /// When it has returned: the sets of select, the array of poll, the events of epoll_wait.
    static func answered(_ stop: trace_stop, _ event: TraceEvent) -> [UInt8] {
        let arguments = event.arguments
        let result = event.result ?? -1
        guard result > 0 else { return [] }
        switch event.call.row?.kind {
        case .selecting: return sets(stop.thread, arguments)
        case .polling:
            return array(pollfd.self, stop.thread, arguments[0], Int(clamping: arguments[1]))
        case .waitingInEpoll:
            return array(epoll_event.self, stop.thread, arguments[1], result)
        default: return []
        }
    }

    /// The bytes of each of select's sets that the kernel looks at: whole words of 64 bits.
    static func setSize(_ arguments: [UInt64]) -> Int {
        let count = Int(Int32(truncatingIfNeeded: arguments[0]))
        return min(max(count, 0), 1 << 20).advanced(by: 63) / 64 * 8
    }

    static func values<Value>(_ type: Value.Type, in bytes: [UInt8]) -> [Value] {
        bytes.withUnsafeBytes { buffer in
            stride(from: 0, to: buffer.count, by: MemoryLayout<Value>.stride).map {
                buffer.loadUnaligned(fromByteOffset: $0, as: type)
            }
        }
    }

    private static func sets(_ thread: Int32, _ arguments: [UInt64]) -> [UInt8] {
        let size = setSize(arguments)
        return (1...3).flatMap { index in
            arguments[index] == 0
                ? [UInt8](repeating: 0, count: size) : read(thread, arguments[index], size)
        }
    }

    private static func array<Value>(
        _ type: Value.Type, _ thread: Int32, _ address: UInt64, _ count: Int
    ) -> [UInt8] {
        read(thread, address, min(max(count, 0), 1 << 16) * MemoryLayout<Value>.stride)
    }

    /// See process_vm_readv(2). An address that is not the server's gives nothing.
    static func read(_ thread: Int32, _ address: UInt64, _ count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { buffer in
            var own = iovec(iov_base: buffer.baseAddress, iov_len: count)
            var other = iovec(
                iov_base: UnsafeMutableRawPointer(bitPattern: UInt(address)), iov_len: count)
            return process_vm_readv(thread, &own, 1, &other, 1, 0)
        }
        return got == count ? bytes : []
    }
}
