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
            // What comes before it waits is found by the read that should give EAGAIN, without an
            // event.
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
}
