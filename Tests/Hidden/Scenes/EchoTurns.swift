// SPDX-License-Identifier: MIT

import CLinux
import Glibc
public import Harness
import Registry
import Scenes

/// Nobody starves.
extension Echo {
    /// What may be read of one client before everybody else has had a turn.
    private static let turn = 1 << 20

    /// 20 clients never pause: whenever the server is about to read from one of them, more of its bytes are
    /// there. Each of them must get its turn, and so must a client that connects meanwhile.
    public func nobodyStarves() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try start(trace: trace)
        var busy = BusyClients(piece: run.random.bytes(60_000))
        for client in try bystanders(server, 20) {
            busy.clients[try server.descriptor(of: client)] = client
        }
        try rest(server)
        run.transcript.add("20 clients send without a pause from now on, and one more connects")
        let start = trace.events.count
        trace.hold(at: 1, of: SystemCall.reading, from: 3)
        try busy.sendAll()
        let new = try run.connect(server)
        let line = run.random.line(8)
        try new.send(line)
        var last: CInt?
        while busy.hasWaiting || new.waitingBytes == 0 {
            try server.wait(for: "the server to read") {
                trace.isHolding || !busy.hasWaiting && new.waitingBytes > 0
            }
            guard trace.isHolding else { break }
            busy.look(at: trace.events[start...])
            if let greedy = busy.greediest(Self.turn) {
                throw CheckFailure(
                    expected: "a turn for everybody who is ready",
                    found: "\(counted(greedy.bytes, "byte")) were read of \(greedy.name), while "
                        + (busy.waiting ?? "\(new.name), which has connected,")
                        + " had not been served once",
                    cause: "Read little of one client at a time, serve everybody whom the wait has "
                        + "named, the listener too, and then wait again.")
            }
            // After its read, too: a big buffer has taken all that there was.
            let reader = trace.held?.descriptor
            for socket in [last, reader] { try busy.sendMore(socket) }
            last = reader
            trace.release(untilNextOf: SystemCall.reading)
        }
        trace.release()
        try new.receive(line)
    }
}

/// Clients that always have something to be read, and what has been read of each.
private struct BusyClients {
    let piece: [UInt8]
    var clients: [CInt: TCPClient] = [:]
    private var taken: [CInt: Int] = [:]
    private var seen = 0

    init(piece: [UInt8]) { self.piece = piece }

    /// Whether some have not been served once.
    var hasWaiting: Bool { taken.count < clients.count }

    /// One that has not been served once.
    var waiting: String? { clients.first { taken[$0.key] == nil }?.value.name }

    func sendAll() throws(CheckFailure) {
        for client in clients.values { _ = try client.sendWhatFits(piece) }
    }

    /// Lets a client send as much as fits, and take what has come for it.
    func sendMore(_ socket: CInt?) throws(CheckFailure) {
        guard let socket, let client = clients[socket] else { return }
        while client.waitingBytes > 0 {
            _ = try client.receiveSome(atMost: 1 << 16) { "bytes" }
        }
        _ = try client.sendWhatFits(piece)
    }

    /// Adds up what has been read.
    mutating func look(at calls: ArraySlice<TraceEvent>) {
        for event in calls.dropFirst(seen)
        where SystemCall.reading.contains(event.number) && clients[event.call.descriptor] != nil {
            taken[event.call.descriptor, default: 0] += max(event.result ?? 0, 0)
        }
        seen = calls.count
    }

    /// One of which more was read than may be.
    func greediest(_ most: Int) -> (name: String, bytes: Int)? {
        guard let found = taken.max(by: { $0.value < $1.value }), found.value > most,
            let client = clients[found.key]
        else { return nil }
        return (client.name, found.value)
    }
}
