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
