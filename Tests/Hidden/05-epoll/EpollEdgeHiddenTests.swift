import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class EpollEdgeHiddenTests: ExerciseChecks {
    override class var exercise: String { "epoll-edge" }

    // MARK: The echo contract

    func testEchoesBytesOneByOne() throws { try echo { try $0.echoesBytesOneByOne() } }
    func testEchoesAllToASlowReader() throws { try echo { try $0.echoesAllToASlowReader() } }
    func testGoesOnAfterAShortWrite() throws { try echo { try $0.goesOnAfterAShortWrite() } }
    func testASlowReaderHoldsNobody() throws { try echo { try $0.aSlowReaderHoldsNobody() } }
    func testKeepsClientsApart() throws { try echo { try $0.keepsClientsApart() } }
    func testReadsNoMoreThanItCanSend() throws { try echo { try $0.readsNoMoreThanItCanSend() } }
    func testClientThatSaysNothing() throws { try echo { try $0.clientSaysNothing() } }
    func testEchoesAfterHalfClose() throws { try echo { try $0.echoesAfterHalfClose() } }
    func testEchoesTheRestAfterTheEnd() throws { try echo { try $0.echoesTheRestAfterTheEnd() } }
    func testSurvivesAReset() throws { try echo { try $0.survivesAReset() } }
    func testSurvivesAResetWhileBytesAreUnsent() throws {
        try echo { try $0.survivesAResetWhileBytesAreUnsent() }
    }
    func testSurvivesAWriteToAGoneClient() throws {
        try echo { try $0.survivesAWriteToAGoneClient() }
    }
    func testGivesNobodyAnothersBytes() throws { try echo { try $0.givesNobodyAnothersBytes() } }
    func testClientsThatLeaveTogether() throws { try echo { try $0.clientsLeaveTogether() } }
    func testLeavesNoDescriptor() throws { try echo { try $0.leavesNoDescriptor() } }
    func testServesManyClients() throws { try echo { try $0.servesManyClients(10_300) } }
    func testNobodyStarves() throws { try echo { try $0.nobodyStarves() } }
    func testSilentClientsCostNothing() throws { try echo { try $0.silentClientsCostNothing() } }
    func testGoesOnWhenDescriptorsRunOut() throws {
        try echo { try $0.goesOnWhenDescriptorsRunOut() }
    }
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
    func testClosesAClientThatTheListHasNoRoomFor() throws {
        try echo { try $0.closesAClientThatTheListHasNoRoomFor() }
    }

    // MARK: Everything that an edge stands for

    func testReadsUntilNothingIsLeft() throws {
        try check { run in
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
        try check { run in
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
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.waitUntilParked()
            for isLast in [false, true] {
                trace.hold(at: 1, of: SystemCall.waitingInEpoll)
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
        try check { run in
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

    func testUsesNoClosedDescriptor() throws {
        try check { run in
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
