// SPDX-License-Identifier: MIT

import Glibc
public import Harness
public import Registry

extension Scene {
    /// Plays the scene with a server of its own, for a figure. It judges nothing.
    /// - Returns: What the server did from the moment at which it waited for the first event.
    public func play(_ run: CheckRun) throws(CheckFailure) -> [TraceEvent] {
        switch self {
        case .datagrams: try run.playDatagrams()
        case .clients: try run.playClients()
        case .events: try run.playEvents()
        }
    }
}

/// The scenes of which the chapters' figures are drawn. They judge nothing.
extension CheckRun {
    /// How late things come, in milliseconds: long enough to be seen in a figure.
    private static let late: CInt = 100

    /// One datagram comes late, and a second one follows.
    /// - Returns: What the server did while it waited for the first, and from then on.
    fileprivate func playDatagrams() throws(CheckFailure) -> [TraceEvent] {
        let trace = SyscallTrace.serving
        let server = try startServer(.udp, trace: trace)
        let sender = try sender(to: server)
        poll(nil, 0, Self.late / 5)
        let start = Deadline.nanoseconds()
        poll(nil, 0, Self.late)
        let lines = [random.line(8), random.line(8)]
        for line in lines { try sender.send(line) }
        for line in lines { try sender.receive(line) }
        return try drawn(trace, of: server, since: start)
    }

    /// A client comes late, sends a line late, and leaves. A second one would look the same.
    /// - Returns: What the server did while it waited for the client, and from then on.
    fileprivate func playClients() throws(CheckFailure) -> [TraceEvent] {
        let trace = SyscallTrace.serving
        let server = try startServer(.tcp, trace: trace)
        poll(nil, 0, Self.late / 5)
        let start = Deadline.nanoseconds()
        poll(nil, 0, Self.late)
        let client = try connect(server)
        poll(nil, 0, Self.late)
        try exchangeALine(with: client)
        // One thing after the other, so that each run draws the same figure.
        _ = try settle(server)
        client.close()
        return try drawn(trace, of: server, since: start)
    }

    /// A client comes to a control room late, and raises its counter late; a signal and a file follow.
    /// - Returns: What the server did from the moment when it waited for the first.
    fileprivate func playEvents() throws(CheckFailure) -> [TraceEvent] {
        let trace = SyscallTrace.controlRoom
        let room = try ControlRoom(self, trace: trace)
        poll(nil, 0, Self.late)
        let start = Deadline.nanoseconds()
        let client = try room.join()
        poll(nil, 0, Self.late)
        try client.send("add 5")
        try client.expect("counter 5")
        room.signal(SIGUSR1, "SIGUSR1")
        try client.expect("signal SIGUSR1 from \(getpid())")
        try room.create("file")
        try client.expect("created file")
        return try drawn(trace, of: room.server, since: start)
    }

    /// What belongs into the figure, once the server rests.
    private func drawn(
        _ trace: SyscallTrace, of server: ServerProcess, since start: UInt64
    ) throws(CheckFailure) -> [TraceEvent] {
        // A server that does not rest is in a call by chance: that one is no wait to be drawn.
        let unfinished = try settle(server) ? UInt64.max : 0
        return trace.history.filter { ($0.end ?? unfinished) >= start }
    }

    /// Waits until the server rests, so that the figure ends where it began. One that never rests may
    /// be drawn, too.
    /// - Returns: Whether it rests.
    private func settle(_ server: ServerProcess) throws(CheckFailure) -> Bool {
        let limit = Deadline(seconds: 0.2)
        var idleness = Idleness()
        while !limit.hasPassed {
            if idleness.continues(in: server) { return true }
            try server.requireAlive()
            poll(nil, 0, 1)
        }
        return false
    }
}
