// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What a server asks in poll(2): the rows of its array, as a trace has read them.
extension SystemCall {
    /// poll and ppoll. On arm64 there is ppoll only.
    public static let inPoll: Set<Int32> = {
        #if arch(x86_64)
            return [SYS_poll, SYS_ppoll]
        #else
            return [SYS_ppoll]
        #endif
    }()
}

extension ServerProcess {
    /// Rests in poll, and gives the rows of that poll, out of the server's memory.
    /// - Throws: `CheckFailure` when it does not come to rest there, or of kind `notVerified` when this
    ///   machine does not allow to read.
    public func restingPollRows() throws(CheckFailure) -> [Interest] {
        let calls = try requireParked(in: SystemCall.inPoll, words: "poll")
        guard let call = calls.first else { return [] }
        let count = min(Int(call.arguments[1]), 1 << 16)
        let size = count * MemoryLayout<pollfd>.stride
        let rows = CallMemory.values(
            pollfd.self, in: try memory(at: call.arguments[0], count: size))
        return rows.map {
            Interest(descriptor: $0.fd, events: UInt32(UInt16(bitPattern: $0.events)))
        }
    }
}

extension SyscallTrace {
    /// Every poll and ppoll so far. The last one has no result while the server waits in it.
    public var polls: [TraceEvent] {
        events.filter { $0.kind == .call && SystemCall.inPoll.contains($0.number) }
    }
}

extension Interest {
    /// Whether one of these bits is set, as in `has(POLLIN)`.
    public func has(_ bits: CInt) -> Bool { events & UInt32(bits) != 0 }
}
