import Checks
import CLinux
import Glibc
import Harness

/// Room and turns: what one client may take, and what the others get meanwhile.
extension EpollEdgeHiddenTests {
    func testEchoesAllToASlowReader() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.echoWhenItRests(run, bytes: 8 << 20)
        }
    }

    func testRemembersWhatCameMeanwhile() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server, quietly: true)
            try server.waitUntilParked()
            let bytes = try server.fillUntilItWaitsForRoom(run, client)
            run.transcript.add("now the client reads, and sends no more")
            try client.receive(bytes)
        }
    }

    func testRestsWhileAClientDoesNotRead() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let slow = try run.connect(server, quietly: true)
            try server.waitUntilParked()
            _ = try server.fillUntilItWaitsForRoom(run, slow)
            try run.exchangeALine(with: other)
            try requireEpollWait(server)
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testKeepsLittleOfAClientThatDoesNotRead() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.waitUntilParked()
            let before = server.proc.residentBytes
            for _ in 1...2 {
                _ = try server.fillUntilItTakesNoMore(run, run.connect(server, quietly: true))
            }
            let grown = server.proc.residentBytes - before
            guard grown < 8 << 20 else {
                throw CheckFailure(
                    expected: "at most a few buffers kept for two clients that do not read",
                    found: "its memory grew by \(counted(grown, "byte"))")
            }
        }
    }

    func testOneClientDoesNotStarveFifty() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let greedy = try run.connect(server)
            let many = run.random.bytes(2 << 20)
            try greedy.send(many)
            try greedy.receive(many)
            let others = try run.connect(server, count: 50)
            for client in others { try run.exchangeALine(with: client) }
            try server.waitUntilParked()
            let accepted = trace.events.filter { SystemCall.accepting.contains($0.number) }
                .compactMap(\.result).filter { $0 >= 0 }.map { CInt($0) }
            trace.hold(at: 1, of: SystemCall.reading, from: 3)
            run.transcript.add("\(greedy.name) sends as much as goes, and reads nothing")
            while try greedy.sendWhatFits(many) > 0 {}
            _ = try trace.awaitHold(server)
            while try greedy.sendWhatFits(many) > 0 {}
            let start = Deadline.nanoseconds()
            run.transcript.add("the server is kept before its read; each of the 50 sends a line")
            let lines = others.map { _ in run.random.line(8) }
            for (client, line) in zip(others, lines) { try client.send(line) }
            trace.release()
            for (client, line) in zip(others, lines) { try client.receive(line) }
            try requireTurns(trace, since: start, greedy: accepted[0], others: Set(accepted[1...]))
        }
    }

    func testKeepsClientsApart() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            var slow: [(client: TCPClient, bytes: [UInt8])] = []
            for _ in 1...2 {
                let client = try run.connect(server, quietly: true)
                try server.waitUntilParked()
                slow.append((client, try server.fillUntilItWaitsForRoom(run, client)))
            }
            let other = try run.connect(server)
            let others = run.random.bytes(250_000)
            try other.send(others)
            try other.receive(others)
            run.transcript.add("now the other two read all that they have sent")
            for (client, bytes) in slow { try client.receive(bytes) }
        }
    }

    func testGoesOnWhenDescriptorsRunOut() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer(openFiles: 20)
            try server.waitUntilParked()
            let clients = try run.connect(server, count: 30)
            try server.waitUntilParked()
            // In the backlog a connection has no inode yet: that of its file comes with accept.
            let waiting = Set(
                SocketTable.tcp(port: server.port).filter { $0.inode == 0 }.map(\.remotePort))
            let accepted = clients.filter { !waiting.contains($0.port) }
            guard let first = accepted.first, accepted.count < clients.count else {
                throw CheckFailure(
                    expected: "some of 30 clients accepted, as far as 20 descriptors go",
                    found: "\(accepted.count) are")
            }
            run.transcript.add("\(accepted.count) are accepted, the others wait in the backlog")
            try run.exchangeALine(with: first)
            try server.waitUntilParked()
            run.transcript.add("those that were accepted leave; nobody else connects")
            for client in accepted { client.close() }
            for client in clients.suffix(clients.count - accepted.count) {
                try run.exchangeALine(with: client)
            }
        }
    }

    /// Requires that little was read of one client at a time while others waited for their turn.
    private func requireTurns(
        _ trace: SyscallTrace, since start: UInt64, greedy: CInt, others: Set<CInt>
    ) throws(CheckFailure) {
        var waiting = others
        var count = 0
        for event in trace.events where (event.end ?? .max) >= start && event.kind == .call {
            guard SystemCall.reading.contains(event.number) else { continue }
            if event.call.descriptor == greedy { count += max(0, event.result ?? 0) }
            guard count <= 1 << 20 else {
                throw CheckFailure(
                    expected: "turns for the others after at most 1 MiB of the one that sends much",
                    found: "more was read of it at a time while \(waiting.count) others waited",
                    cause: "Read at most bytesPerTurn bytes of a client. Then look for new events, "
                        + "without waiting, give the others a turn, and go on with it.")
            }
            if waiting.remove(event.call.descriptor) != nil { count = 0 }
            if waiting.isEmpty { return }
        }
    }
}
