import Checks
import CLinux
import Glibc
import Harness

final class EpollEdgeHiddenTests: ExerciseChecks {
    override class var exercise: String { "epoll-edge" }

    // MARK: Everything that an edge stands for

    func testEchoesBytesOneByOne() throws {
        try check { run throws(CheckFailure) in
            let client = try run.connect(run.startServer())
            for byte in run.random.line(15) {
                try client.send([byte])
                try client.receive([byte])
            }
        }
    }

    func testReadsUntilNothingIsLeft() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.waitUntilParked()
            try server.echoOneEvent(run, client, bytes: 120_000)
            // The kernel lets the receive buffer grow while a server reads well.
            let many = run.random.bytes(2 << 20)
            try client.send(many)
            try client.receive(many)
            try server.waitUntilParked()
            try server.echoOneEvent(run, client, bytes: 600_000)
        }
    }

    func testAcceptsUntilNobodyIsLeft() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.waitUntilParked()
            try server.send(SIGSTOP)
            run.transcript.add("the server is stopped")
            let clients = try run.connect(server, count: 20)
            run.transcript.add("the server goes on, and has one event for all of them")
            try server.send(SIGCONT)
            for client in clients.reversed() { try run.exchangeALine(with: client) }
        }
    }

    func testTakesWhatComesBeforeEpollWait() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.waitUntilParked()
            for isLast in [false, true] {
                trace.hold(at: 1, of: SystemCall.waitingForEvents)
                let line = run.random.line(8)
                try client.send(line)
                if try trace.awaitHold(server) {
                    run.transcript.add("it is served; then the server is kept before epoll_wait")
                }
                let late = run.random.line(1)
                try client.send(late)
                if isLast { client.finishSending() }
                run.transcript.add("the server goes on, and calls epoll_wait")
                trace.release()
                try client.receive(line + late)
            }
            try client.receiveEnd()
        }
    }

    func testTakesWhatComesBeforeARead() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.waitUntilParked()
            trace.hold(at: 2, of: SystemCall.reading, from: 3)
            let line = run.random.line(8)
            try client.send(line)
            if try trace.awaitHold(server) {
                run.transcript.add("the server is kept just before the read that ends with EAGAIN")
            }
            let late = run.random.line(1)
            try client.send(late)
            run.transcript.add("it goes on")
            trace.release()
            try client.receive(line + late)
            try server.waitUntilParked()
            try run.exchangeALine(with: client)
        }
    }

    // MARK: Ends

    func testClientThatSaysNothing() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let silent = try run.connect(server)
            try server.waitUntilParked()
            silent.finishSending()
            try silent.receiveEnd()
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testSeesTheEndThatCameWithTheBytes() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            // What comes before it waits is found by the read that should give EAGAIN, without an event.
            try server.waitUntilParked()
            try server.send(SIGSTOP)
            let line = run.random.line(3)
            try client.send(line)
            client.finishSending()
            run.transcript.add("the server, stopped meanwhile, has one event for both (0x2001)")
            try server.send(SIGCONT)
            try client.receive(line)
            try client.receiveEnd()
        }
    }

    func testSendsTheRestBeforeTheEnd() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server, quietly: true)
            try server.waitUntilParked()
            let bytes = try server.fillUntilItWaitsForRoom(run, client)
            run.transcript.add("it finishes sending; then it reads all that it has sent")
            client.finishSending()
            try server.waitUntilParked()
            try client.receive(bytes)
            try client.receiveEnd()
        }
    }

    func testSurvivesAReset() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.waitUntilParked()
            client.reset()
            try server.waitUntilParked()
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            try server.writeToAGoneClient(run)
            try server.waitUntilParked()
            try run.exchangeALine(with: other)
        }
    }

    func testClosesEveryConnection() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.waitUntilParked()
            let before = server.proc.descriptors().count
            for _ in 1...10 {
                let clients = try run.connect(server, count: 30)
                for client in clients { try run.exchangeALine(with: client) }
                run.transcript.add("all of them leave, half of them with a reset")
                for (number, client) in clients.enumerated() {
                    if number % 2 == 0 { client.reset() } else { client.close() }
                }
            }
            do throws(CheckFailure) {
                try server.wait(for: "\(before) open descriptors, as before the first client") {
                    server.proc.descriptors().count <= before
                }
            } catch  where error.kind == .failed {
                let open = server.proc.descriptors().count
                throw CheckFailure(
                    expected: error.expected, found: "\(open) are open. \(server.activity)")
            }
        }
    }

    func testUsesNoClosedDescriptor() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            for _ in 1...3 {
                let leaving = try run.connect(server, count: 6)
                let staying = try run.connect(server, count: 3)
                for client in leaving + staying { try run.exchangeALine(with: client) }
                try server.waitUntilParked()
                try server.send(SIGSTOP)
                run.transcript.add("the server is stopped; 6 of them leave, 3 speak, 3 others come")
                for (number, client) in leaving.enumerated() {
                    try client.send(run.random.line(8))
                    if number % 2 == 0 { client.reset() } else { client.close() }
                }
                let lines = staying.map { _ in run.random.line(8) }
                for (client, line) in zip(staying, lines) { try client.send(line) }
                let new = try run.connect(server, count: 3)
                try server.send(SIGCONT)
                for (client, line) in zip(staying, lines) { try client.receive(line) }
                for client in new { try run.exchangeALine(with: client) }
                try server.waitUntilParked()
            }
            guard let bad = trace.events.first(where: { $0.result == -Int(EBADF) }) else { return }
            throw CheckFailure(
                expected: "no call on a descriptor that is closed",
                found: "\(bad.call.description) = EBADF")
        }
    }

    // MARK: Room

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

    // MARK: Turns

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
                throw .machine(
                    "The server has \(accepted.count) of 30 clients with 20 descriptors.")
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

    // MARK: Calls

    func testWaitsInEpollWait() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try requireEpollWait(server)
            let client = try run.connect(server)
            try requireEpollWait(server)
            try run.exchangeALine(with: client)
            try requireEpollWait(server)
            client.close()
            try requireEpollWait(server)
        }
    }

    func testRegistersEachSocketOnce() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let clients = try run.connect(server, count: 5)
            for _ in 1...5 { for client in clients { try run.exchangeALine(with: client) } }
            for client in clients { client.close() }
            try server.waitUntilParked()
            _ = try server.interestList()
            let calls = trace.calls(SYS_epoll_ctl).map { CInt(truncatingIfNeeded: $0.arguments[1]) }
            let changed = calls.filter { $0 == EPOLL_CTL_MOD }.count
            let added = calls.filter { $0 == EPOLL_CTL_ADD }.count
            guard changed == 0 else {
                throw CheckFailure(
                    expected: "no EPOLL_CTL_MOD: a registration for edges is made once",
                    found: "\(counted(changed, "time")) while 5 clients sent 5 lines each",
                    cause: "EPOLL_CTL_MOD makes epoll tell again of what it has told already. That "
                        + "hides what was forgotten, at the price of a call for each event.")
            }
            guard added <= 6, calls.count <= 11 else {
                throw CheckFailure(
                    expected: "6 descriptors added once, and each removed at most once",
                    found: "\(calls.count) calls of epoll_ctl, \(added) of them with EPOLL_CTL_ADD")
            }
        }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let start = try run.serveTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients", requests: 2, bytes: 18)
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run throws(CheckFailure) in
            try run.interruptEachKindOfCall()
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            try server.waitUntilParked()
            trace.inject(.fail(EINTR), at: 1, of: SystemCall.waitingForEvents)
            trace.inject(.fail(EINTR), at: 3, of: SystemCall.waitingForEvents)
            let fault = "two calls of epoll_wait will be interrupted by a signal (EINTR)"
            try run.despiteTheFault(fault) { () throws(CheckFailure) in
                let client = try run.connect(server)
                for _ in 1...4 { try run.exchangeALine(with: client) }
            }
        }
    }

    func testGoesOnAfterAnAbortedConnection() throws {
        try check { run throws(CheckFailure) in try run.abortAConnection() }
    }

    func testGoesOnAfterAShortWrite() throws {
        try check { run throws(CheckFailure) in try run.shortenEveryWrite() }
    }

    private func requireEpollWait(_ server: ServerProcess) throws(CheckFailure) {
        let calls = try server.requireParked(
            in: SystemCall.waitingForEvents, words: "epoll_wait",
            cause:
                "Only epoll_wait may wait. Any other call would keep all clients waiting for one: "
                + "no descriptor may be one that blocks.")
        guard calls.allSatisfy(\.waitsForever) else {
            throw CheckFailure(
                expected: "epoll_wait without a time limit (-1)",
                found: "one of \(Int32(truncatingIfNeeded: calls[0].arguments[3])) ms",
                cause:
                    "There is nothing to be done before the next edge: a time limit only wakes the "
                    + "server for nothing.")
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
