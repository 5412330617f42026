import CLinux
import Glibc
import Harness

/// What the suite of select-echo does to see whom the server serves, and at what price.
extension CheckRun {
    /// One client has much to be echoed; another one has a line, and a datagram has come.
    func serveInTurn(_ trace: SyscallTrace) throws(CheckFailure) {
        let server = try startServer(trace: trace)
        let busy = try connect(server)
        let other = try connect(server)
        let sender = try sender(to: server)
        for client in [busy, other] { try exchangeALine(with: client) }
        try server.waitUntilParked()
        let descriptor = try server.descriptor(of: other)
        let datagrams = try server.socketDescriptor(SocketTable.udp(port: server.port))
        try server.send(SIGSTOP)
        transcript.add("the server is stopped; \(busy.name) sends as much as the kernel takes")
        let much = random.bytes(1 << 20)
        var sent = 0
        while case let taken = try busy.sendWhatFits(much[sent...]), taken > 0 { sent += taken }
        let line = random.line(8)
        try other.send(line)
        try sender.send(line)
        let before = trace.events.count
        try server.send(SIGCONT)
        try sender.receive(line)
        try other.receive(line)
        try busy.receive(Array(much.prefix(sent)))
        let calls = trace.events[before...].filter { $0.kind == .call }
        for (socket, who) in [(datagrams, "the UDP socket"), (descriptor, other.name)] {
            let turns = selectsUntilItIsRead(socket, calls)
            guard turns <= 3 else {
                throw CheckFailure(
                    expected: "\(who) served when select has said that it is ready",
                    found: "select said so \(turns) times before it was served",
                    cause: "Serve everything that one select has named before you ask the next.")
            }
        }
    }

    private func selectsUntilItIsRead(_ socket: CInt, _ calls: [TraceEvent]) -> Int {
        let said = calls.drop {
            !($0.result ?? 0 > 0 && $0.ready.descriptors(POLLIN).contains(socket))
        }
        return said.prefix { !(taking.contains($0.number) && $0.call.descriptor == socket) }
            .filter { selecting.contains($0.number) }.count
    }

    /// select says: ready. Before the server takes what has come, somebody else does. A call that
    /// waits now would wait for this one socket, and nobody else would be served.
    func takeAwayWhatWasReady() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        let other = try connect(server)
        let client = try connect(server)
        let sender = try sender(to: server)
        for client in [other, client] { try exchangeALine(with: client) }
        let connection = try server.descriptor(of: client)
        let listener = try server.socketDescriptor(SocketTable.listener(port: server.port))
        let datagrams = try server.socketDescriptor(SocketTable.udp(port: server.port))
        var late: TCPClient?
        let ways: [(String, CInt, Set<Int32>, () throws(CheckFailure) -> Void)] = [
            (
                "a line", connection, taking,
                { () throws(CheckFailure) in
                    try client.send([0x68, 0x69, 0x0a])
                }
            ),
            (
                "a datagram", datagrams, taking,
                { () throws(CheckFailure) in
                    try sender.send([0x68, 0x69, 0x0a])
                }
            ),
            (
                "a new client", listener, SystemCall.accepting,
                { () throws(CheckFailure) in
                    late = try self.connect(server)
                }
            ),
        ]
        for (what, socket, calls, come) in ways {
            try server.waitUntilParked()
            trace.hold(at: 1, of: calls, from: UInt64(socket))
            try come()
            try server.wait(for: "a call that takes \(what)") { trace.isHolding }
            transcript.add("select has said so; somebody else takes \(what) before the server does")
            try server.withCopy(of: socket) { copy throws(CheckFailure) in
                take(from: copy, isListener: socket == listener)
            }
            trace.release()
            do {
                try exchangeALine(with: other)
            } catch  where error.kind == .failed {
                throw CheckFailure(
                    expected: "a server that goes on to the others when \(what) is gone again",
                    found: error.found,
                    cause: "A blocking call waits for \(what) alone. Ready is a hint, no promise: "
                        + "set O_NONBLOCK on every socket, the listener and the UDP socket too.")
            }
        }
        late?.close()
    }

    private func take(from copy: CInt, isListener: Bool) {
        var byte = [UInt8](repeating: 0, count: 64)
        if isListener {
            close(accept(copy, nil, nil))
        } else {
            recv(copy, &byte, byte.count, Int32(MSG_DONTWAIT))
        }
    }

    /// One of many clients speaks. What that costs must not depend on those that are silent.
    func countTheCallsOfARequest(_ trace: SyscallTrace) throws(CheckFailure) {
        let server = try startServer(trace: trace)
        let clients = try connect(server, count: 40)
        for client in clients { try exchangeALine(with: client) }
        try server.waitUntilParked()
        let before = trace.events.count
        transcript.add("39 of them are silent, and one sends 20 lines, one after the other")
        for _ in 1...20 { try exchangeALine(with: clients[20]) }
        try server.waitUntilParked()
        let calls = trace.events[before...].filter { $0.kind == .call }
        guard calls.count <= 20 * 7 else {
            let kinds = Dictionary(grouping: calls) { $0.call.name }.mapValues(\.count)
                .sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
            throw CheckFailure(
                expected: "select, read and write for each of 20 lines: 60 calls, or a few more",
                found: "\(calls.count) calls: \(kinds.joined(separator: ", "))",
                cause: "Serve those that select has named, and leave all the others alone.")
        }
    }

    /// More clients come than an fd_set has bits.
    func connectMoreThanASetHolds() throws(CheckFailure) {
        try requireDescriptors(1400)
        let server = try startServer(openFiles: 4096)
        try server.waitUntilParked()
        let own = server.proc.descriptors().count
        let clients = try connect(server, count: 1100)
        let fitting = Int(FD_SETSIZE) - own
        transcript.add("an fd_set has 1,024 bits: \(fitting) of the clients fit")
        for number in fitting..<clients.count {
            do {
                try clients[number].receiveEnd()
            } catch  where error.kind == .failed && server.exitStatus == nil {
                throw CheckFailure(
                    expected: "an end of connection for client \(number + 1), which does not fit",
                    found: error.found,
                    cause:
                        "Its descriptor is FD_SETSIZE or more: close it. select cannot watch it, "
                        + "and C's FD_SET would write beyond the end of the set.")
            }
        }
        transcript.add("those that fit speak, the last one first")
        for number in stride(from: fitting - 1, through: 0, by: -25) {
            try exchangeALine(with: clients[number])
        }
        try server.requireParkedInSelect()
        for client in clients { client.close() }
        try server.wait(for: "the server to close all connections") {
            server.proc.descriptors().count <= own
        }
        try exchangeALine(with: connect(server))
    }

    /// More clients come than the server may have descriptors.
    func useUpTheDescriptors() throws(CheckFailure) {
        let server = try startServer(openFiles: 64)
        try server.waitUntilParked()
        let room = 64 - server.proc.descriptors().count
        let clients = try connect(server, count: 80)
        transcript.add("it has descriptors for \(room) of them; the others wait in the backlog")
        try server.wait(for: "\(room) clients to be accepted") {
            server.proc.descriptors().count == 64
        }
        for client in clients.prefix(room) { try exchangeALine(with: client) }
        do {
            try server.requireParkedInSelect()
        } catch  where error.kind == .failed && server.exitStatus == nil {
            throw CheckFailure(
                expected: "a server that rests while it can take no more clients",
                found: error.found,
                cause:
                    "The backlog is not empty, so the listener stays ready, and accept fails with "
                    + "EMFILE each time. Do not ask about the listener until a client has left.")
        }
        let waiting = SocketTable.listener(port: server.port)?.receiveQueue ?? 0
        guard waiting == 80 - room else {
            throw CheckFailure(
                expected: "\(counted(80 - room, "client")) in the backlog", found: "\(waiting)")
        }
        transcript.add("30 clients leave; those in the backlog get their turn")
        for client in clients.prefix(30) { client.close() }
        for client in clients.suffix(80 - room) { try exchangeALine(with: client) }
        try server.requireParkedInSelect()
    }
}
