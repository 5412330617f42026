// SPDX-License-Identifier: MIT

import Glibc

/// The scenes of which the chapters' figures are drawn. They judge nothing.
extension CheckRun {
    /// How late things come, in milliseconds: long enough to be seen in a figure.
    private static let late: CInt = 100

    /// One datagram comes late, and a second one follows.
    /// - Returns: What the server did while it waited for the first, and from then on.
    public func playDatagrams() throws(CheckFailure) -> [TraceEvent] {
        let trace = SyscallTrace.serving
        let server = try startServer(.udp, trace: trace)
        let sender = try sender(to: server)
        poll(nil, 0, Self.late / 5)
        let start = Deadline.nanoseconds()
        poll(nil, 0, Self.late)
        for _ in 1...2 {
            let line = random.line(8)
            try sender.send(line)
            try sender.receive(line)
        }
        // A server that does not rest is in a call by chance: that one is no wait to be drawn.
        let unfinished = try settle(server) ? UInt64.max : 0
        return trace.events.filter { ($0.end ?? unfinished) >= start }
    }

    /// A client comes late, sends a line late, and leaves; a second one does the same.
    /// - Returns: What the server did while it waited for the first, and from then on.
    public func playClients() throws(CheckFailure) -> [TraceEvent] {
        let trace = SyscallTrace.serving
        let server = try startServer(.tcp, trace: trace)
        poll(nil, 0, Self.late / 5)
        let start = Deadline.nanoseconds()
        poll(nil, 0, Self.late)
        for _ in 1...2 {
            let client = try connect(server)
            poll(nil, 0, Self.late)
            try exchangeALine(with: client)
            client.close()
        }
        // A server that does not rest is in a call by chance: that one is no wait to be drawn.
        let unfinished = try settle(server) ? UInt64.max : 0
        return trace.events.filter { ($0.end ?? unfinished) >= start }
    }

    /// Waits until the server rests, so that the figure ends where it began. One that never rests may
    /// be drawn, too.
    /// - Returns: Whether it rests.
    private func settle(_ server: ServerProcess) throws(CheckFailure) -> Bool {
        let limit = Deadline(seconds: 0.2)
        var before: [ProcFS.Thread] = []
        while !limit.hasPassed {
            let now = server.proc.threads()
            if now == before, now.allSatisfy({ $0.call != nil }) { return true }
            before = now
            try server.requireAlive()
            poll(nil, 0, 1)
        }
        return false
    }
}
