// SPDX-License-Identifier: MIT

import CLinux
import Glibc
public import Harness
import Registry
import Scenes

/// Many clients: more than any table of a fixed size has places, and more than there is room for.
extension Echo {
    /// So many clients at once: all ready in one moment, and then one after the other, the last one
    /// first.
    public func servesManyClients(_ count: Int) throws(CheckFailure) {
        try run.requireDescriptors(UInt(count) + 200)
        let server = try start(openFiles: UInt(count) + 100)
        let before = try restingDescriptors(server)
        let clients = try connectMany(server, count)
        run.transcript.add("every third is silent; the others speak, the last one first")
        for (number, client) in clients.enumerated().reversed() where number % 3 != 0 {
            try run.exchangeALine(with: client)
        }
        try server.send(SIGSTOP)
        run.transcript.add("the server is stopped; each of them sends a line; it goes on")
        let line = run.random.line(8)
        for client in clients { try client.send(line) }
        try server.send(SIGCONT)
        for client in clients { try client.receive(line) }
        // A reset leaves no TIME_WAIT behind, and no long table of sockets.
        run.transcript.add("all of them leave, but the last one")
        for client in clients.dropLast() { client.reset() }
        try requireDescriptors(server, before + 1, after: "all but one have left")
        if let last = clients.last { try run.exchangeALine(with: last) }
    }

    /// More clients than descriptors: the rest waits in the backlog while the server is idle. Whenever one
    /// leaves, in whatever way, the next one is served.
    public func goesOnWhenDescriptorsRunOut() throws(CheckFailure) {
        let server = try start(openFiles: 24)
        let clients = try run.connect(server, count: 40)
        try server.wait(for: "as many clients accepted as it has descriptors for") {
            server.proc.descriptors().count == 24
        }
        // A thread that waits for room looks again from time to time: it is not idle.
        if model.hasOneThread { try rest(server, cause: Self.whyItSpins) }
        let waiting = server.backlog
        guard waiting > 0 else {
            throw CheckFailure(
                expected: "clients that wait in the backlog: 24 descriptors are not enough for 40",
                found: "an empty backlog",
                cause: "Accepting and then closing turns clients away.")
        }
        let served = clients.count - waiting
        run.transcript.add("\(served) are accepted, \(waiting) wait in the backlog")
        try run.exchangeALine(withEach: clients.prefix(served))
        run.transcript.add("one after the other leaves, and each time the next is served")
        for number in 0..<waiting - 4 {
            switch number % 3 {
            case 0: clients[number].close()
            case 1: clients[number].reset()
            default:
                clients[number].finishSending()
                try clients[number].receiveEnd()
            }
            try run.exchangeALine(with: clients[served + number])
        }
        run.transcript.add("all others leave at once, and those in the backlog are served")
        for client in clients[(waiting - 4)..<(clients.count - 4)] { client.close() }
        try run.exchangeALine(withEach: clients.suffix(4))
        try rest(server)
        run.transcript.add("nobody waits any more; later somebody comes")
        try run.visit(server)
        for client in clients.suffix(4) { client.close() }
        try rest(server)
        try run.visit(server)
    }

    private static let whyItSpins =
        "accept fails with EMFILE, and the listener stays ready: the wait returns at once, again and "
        + "again. Do not ask about the listener until a client has left."

    /// What one client's lines cost must not depend on how many others are silent.
    public func silentClientsCostNothing() throws(CheckFailure) {
        // Asking a socket about itself costs a call, too.
        let asking = [SYS_getsockopt, SYS_ioctl, SYS_fcntl]
        let trace = SyscallTrace(calls: SyscallTrace.servingCalls.union(asking))
        let server = try start(trace: trace)
        let speaker = try run.connect(server)
        let few = try connectMany(server, 10)
        let withFew = try callsForFiveLines(of: speaker, server, trace)
        let many = try connectMany(server, 190)
        run.transcript.add("all of them speak in one moment; then all but one are silent")
        try server.send(SIGSTOP)
        let line = run.random.line(8)
        for client in few + many { try client.send(line) }
        try server.send(SIGCONT)
        for client in few + many { try client.receive(line) }
        let withMany = try callsForFiveLines(of: speaker, server, trace)
        guard withMany.count == withFew.count else {
            throw CheckFailure(
                expected: "\(counted(withFew.count, "call")) for five lines, as with \(few.count) "
                    + "silent clients: \(tally(withFew))",
                found: "\(counted(withMany.count, "call")) with \(few.count + many.count): "
                    + tally(withMany),
                cause: "\(model.word) says who is ready. Serve those, and leave the others alone.")
        }
    }

    /// The calls that a server makes for five lines of a client.
    private func callsForFiveLines(
        of client: TCPClient, _ server: ServerProcess, _ trace: SyscallTrace
    ) throws(CheckFailure) -> [TraceEvent] {
        try run.exchangeALine(with: client)
        try rest(server)
        let before = trace.events.count
        for _ in 1...5 {
            try run.exchangeALine(with: client)
            try rest(server)
        }
        return trace.events[before...].filter { $0.kind == .call }
    }

    private func tally(_ calls: [TraceEvent]) -> String {
        Dictionary(grouping: calls) { $0.call.name }.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.count)" }.joined(separator: ", ")
    }
}
