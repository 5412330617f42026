import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class BlockingTcpHiddenTests: ExerciseChecks {
    override class var exercise: String { "blocking-tcp" }

    // MARK: The echo contract

    func testEchoesBytesOneByOne() throws { try echo { try $0.echoesBytesOneByOne() } }
    func testEchoesAllToASlowReader() throws { try echo { try $0.echoesAllToASlowReader() } }
    func testGoesOnAfterAShortWrite() throws { try echo { try $0.goesOnAfterAShortWrite() } }
    func testClientThatSaysNothing() throws { try echo { try $0.clientSaysNothing() } }
    func testEchoesAfterHalfClose() throws { try echo { try $0.echoesAfterHalfClose() } }
    func testSurvivesAReset() throws { try echo { try $0.survivesAReset() } }
    func testSurvivesAResetWhileBytesAreUnsent() throws {
        try echo { try $0.survivesAResetWhileBytesAreUnsent() }
    }
    func testSurvivesAWriteToAGoneClient() throws {
        try echo { try $0.survivesAWriteToAGoneClient() }
    }
    func testGivesNobodyAnothersBytes() throws { try echo { try $0.givesNobodyAnothersBytes() } }
    func testLeavesNoDescriptor() throws { try echo { try $0.leavesNoDescriptor() } }
    func testGoesOnAfterAnInterruption() throws { try echo { try $0.goesOnAfterAnInterruption() } }
    func testClosesAClientWhoseConnectionFails() throws {
        try echo { try $0.closesAClientWhoseConnectionFails() }
    }
    func testGoesOnAfterAnAbortedConnection() throws { try echo { try $0.losesClients() } }
    func testGoesOnWithoutRoom() throws { try echo { try $0.goesOnWithoutRoom() } }
    func testEndsWhenItsListenerIsBroken() throws {
        try echo { try $0.endsWhenItsListenerIsBroken() }
    }
    func testIgnoresUrgentBytes() throws { try echo { try $0.ignoresUrgentBytes() } }
    func testSetsNoTimeLimit() throws { try echo { try $0.setsNoTimeLimit() } }
    func testUsesTheCallsOfTheModel() throws { try usesTheCallsOfTheModel() }

    // MARK: The model

    func testQueuesTheSecondClient() throws {
        try check { run in
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
        try check { run in
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

    func testWaitsForADescriptor() throws {
        try check { run in
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
        try check { run in
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
        try check { run in
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
        try check { run in
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
}
