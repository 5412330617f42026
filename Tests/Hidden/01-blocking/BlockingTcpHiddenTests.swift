import Checks
import CLinux
import Glibc
import Harness

final class BlockingTcpHiddenTests: ExerciseChecks {
    override class var exercise: String { "blocking-tcp" }

    // MARK: Bytes

    func testEchoesBytesOneByOne() throws {
        try check { run throws(CheckFailure) in
            let client = try run.connect(run.startServer())
            for byte in run.random.line(15) {
                try client.send([byte])
                try client.receive([byte])
            }
        }
    }

    func testEchoesAllToASlowReader() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.echoToASlowReader(run, bytes: 8 << 20)
        }
    }

    // MARK: Ends

    func testClientThatSaysNothing() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try run.connect(server).close()
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testEchoesAfterHalfClose() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            // Stopped, so that the bytes and the end are both there when it reads.
            try server.send(SIGSTOP)
            let line = run.random.line(1000)
            try client.send(line)
            client.finishSending()
            try server.send(SIGCONT)
            try client.receive(line)
            try client.receiveEnd()
        }
    }

    func testSurvivesAReset() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.waitUntilParked()
            client.reset()
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.writeToAGoneClient(run)
            try run.exchangeALine(with: run.connect(server))
        }
    }

    // MARK: The model

    func testQueuesTheSecondClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let first = try run.connect(server)
            try server.wait(for: "the first client to be accepted") {
                SocketTable.listener(port: server.port)?.receiveQueue == 0
            }
            let second = try run.connect(server)
            let request = run.random.line(8)
            try second.send(request)
            run.transcript.add("the first client is silent; the server rests")
            try server.waitUntilParked()
            let waiting = SocketTable.listener(port: server.port)?.receiveQueue
            guard waiting == 1, second.waitingBytes == 0 else {
                throw CheckFailure(
                    expected: "client 2 in the backlog, not accepted, while client 1 is connected",
                    found: "\(waiting ?? 0) connections in the backlog. \(server.activity)",
                    cause: "The server serves both at once. That is another model; here one thread "
                        + "waits in one call, and the kernel keeps the queue.")
            }
            run.transcript.add("client 2 is in the backlog, as it should be")
            try run.exchangeALine(with: first)
            first.close()
            try second.receive(request)
        }
    }

    func testWaitsInReadOrAccept() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            run.transcript.add("nobody connects")
            try server.requireParked(in: SystemCall.accepting, words: "accept")
            let client = try run.connect(server)
            try server.wait(for: "client 1 to be accepted") {
                SocketTable.listener(port: server.port)?.receiveQueue == 0
            }
            run.transcript.add("client 1 is silent")
            try server.requireParked(in: SystemCall.reading, words: "read or recv")
            try run.exchangeALine(with: client)
            client.close()
            try server.requireParked(in: SystemCall.accepting, words: "accept")
        }
    }

    // MARK: Descriptors and the listener

    func testLeavesNoDescriptor() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.requireParked(in: SystemCall.accepting, words: "accept")
            let before = server.proc.descriptors().count
            run.transcript.add("300 clients come and go; every third resets its connection")
            for number in 1...300 {
                let client = try run.connect(server, quietly: true)
                try run.exchangeALine(with: client)
                if number % 3 == 0 { client.reset() } else { client.close() }
            }
            try server.requireParked(in: SystemCall.accepting, words: "accept")
            let after = server.proc.descriptors().count
            guard after <= before else {
                throw CheckFailure(
                    expected: "\(before) open descriptors, as before the first client",
                    found: "\(after), so \(after - before) are left of 300 clients")
            }
        }
    }

    func testWaitsForADescriptor() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            try server.waitUntilParked()
            try server.limitDescriptors(to: 4)
            run.transcript.add("it may have 4 descriptors: its three streams and its listener")
            // The accept that it waits in has its descriptor already.
            try run.visit(server)
            let client = try run.connect(server)
            try server.wait(for: "an accept that fails with EMFILE") {
                trace.events.contains {
                    SystemCall.accepting.contains($0.number) && $0.result == -Int(EMFILE)
                }
            }
            try server.limitDescriptors(to: 64)
            run.transcript.add("it may have 64 descriptors now")
            try run.exchangeALine(with: client)
        }
    }

    func testRestartsOnItsPort() throws {
        try check { run throws(CheckFailure) in
            let first = try run.startServer()
            let client = try run.connect(first)
            try run.exchangeALine(with: client)
            run.transcript.add("the server is stopped while the client is connected")
            // The server's side closes first, so the connection keeps the port after the process.
            first.stop()
            try run.exchangeALine(with: run.connect(run.startServer(port: first.port)))
            client.close()
        }
    }

    func testHasABacklog() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let row = SocketTable.listener(port: server.port)
            let limit = try server.backlogLimit(of: server.socketDescriptor(row))
            guard limit >= 16 else {
                throw CheckFailure(
                    expected: "a backlog of at least 16", found: "a backlog of \(limit)")
            }
        }
    }

    func testSaysThatThePortIsInUse() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let (status, words) = try run.startServerToFail(port: server.port)
            guard status != .exited(0), case .exited = status else {
                throw CheckFailure(
                    expected: "an exit status other than 0", found: "the second server \(status)")
            }
            guard words.lowercased().contains("in use") else {
                throw CheckFailure(
                    expected: "a sentence on standard error that says: Address already in use",
                    found: words.isEmpty ? "nothing" : words,
                    cause: "The errno of bind was lost: read it at once, and throw it.")
            }
            try run.exchangeALine(with: run.connect(server))
        }
    }

    // MARK: Traced

    func testUsesTheCallsOfTheModel() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let start = try run.serveTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients", requests: 2, bytes: 18)
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run throws(CheckFailure) in try run.interruptEachKindOfCall() }
    }

    func testGoesOnAfterAnAbortedConnection() throws {
        try check { run throws(CheckFailure) in try run.loseClients() }
    }

    func testGoesOnWithoutRoom() throws {
        try check { run throws(CheckFailure) in try run.leaveNoRoom() }
    }

    func testEndsWhenItsListenerIsBroken() throws {
        try check { run throws(CheckFailure) in try run.breakTheListener() }
    }

    func testGoesOnAfterAShortWrite() throws {
        try check { run throws(CheckFailure) in try run.shortenEveryWrite() }
    }
}
