import CLinux
import Glibc
import Harness

extension ServerProcess {
    /// Rests in poll, and gives the rows of that poll, out of the server's memory.
    /// See process_vm_readv(2).
    /// - Throws: `CheckFailure` when it does not come to rest there, or of kind `notVerified` when this
    ///   machine does not allow to read.
    func restingPollRows() throws(CheckFailure) -> [Interest] {
        let calls = try requireParked(in: SystemCall.inPoll, words: "poll")
        guard let call = calls.first else { return [] }
        let count = min(Int(call.arguments[1]), 1 << 16)
        let bytes = try memory(
            at: call.arguments[0], count: count * MemoryLayout<pollfd>.stride)
        let rows = bytes.withUnsafeBytes { buffer in
            (0..<count).map {
                buffer.loadUnaligned(
                    fromByteOffset: $0 * MemoryLayout<pollfd>.stride, as: pollfd.self)
            }
        }
        return rows.map {
            Interest(descriptor: $0.fd, events: UInt32(UInt16(bitPattern: $0.events)))
        }
    }
}

extension SyscallTrace {
    /// Every poll and ppoll so far. The last one has no result while the server waits in it.
    var polls: [TraceEvent] {
        events.filter { $0.kind == .call && SystemCall.inPoll.contains($0.number) }
    }
}
