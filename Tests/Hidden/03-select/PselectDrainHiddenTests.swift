import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class PselectDrainHiddenTests: ExerciseChecks {
    override class var exercise: String { "pselect-drain" }

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
    func testServesManyClients() throws { try echo { try $0.servesManyClients(900) } }
    func testNobodyStarves() throws { try echo { try $0.nobodyStarves() } }
    func testSilentClientsCostNothing() throws { try echo { try $0.silentClientsCostNothing() } }
    func testGoesOnWhenDescriptorsRunOut() throws {
        try echo { try $0.goesOnWhenDescriptorsRunOut() }
    }
    func testGoesOnAfterAnInterruption() throws { try echo { try $0.goesOnAfterAnInterruption() } }
    func testGoesOnAfterAFalseAlarm() throws { try echo { try $0.goesOnAfterAFalseAlarm() } }
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

    // MARK: It serves

    func testWaitsInPselect() throws {
        try check { run in
            let server = try run.startServer()
            run.transcript.add("nobody connects")
            try server.requireParkedInSelect(words: "pselect")
            let clients = [try run.connect(server), try run.connect(server)]
            for client in clients { try run.exchangeALine(with: client) }
            run.transcript.add("both clients are silent")
            try server.requireParkedInSelect(words: "pselect")
        }
    }

    // MARK: It ends

    func testSendsWhatItOwes() throws {
        try check { run in
            let server = try run.startServer()
            let silent = try run.connect(server)
            try run.exchangeALine(with: silent)
            let (slow, bytes) = try run.connectAndFill(server)
            try server.beToldToEnd(run)
            try server.requireEnd(of: silent)
            run.transcript.add("\(slow.name) reads all that it has sent")
            try server.requireDrained(to: slow, bytes)
            try server.waitForItsEnd()
        }
    }

    func testEchoesWhatHasArrived() throws {
        try check { run in
            let server = try run.startServer()
            let clients = try run.connect(server, count: 3)
            for client in clients { try run.exchangeALine(with: client) }
            try server.waitUntilParked()
            try server.send(SIGSTOP)
            let lines = clients.map { _ in run.random.line(8) }
            run.transcript.add("the server is stopped; 3 clients send a line each, then SIGTERM")
            for (client, line) in zip(clients, lines) { try client.send(line) }
            try server.beToldToEnd(run)
            try server.send(SIGCONT)
            for (client, line) in zip(clients, lines) {
                try server.requireDrained(to: client, line)
            }
            try server.waitForItsEnd()
        }
    }

    func testServesWhoIsInTheBacklog() throws {
        try check { run in
            let server = try run.startServer()
            try server.waitUntilParked()
            try server.send(SIGSTOP)
            run.transcript.add("the server is stopped; 2 clients connect and send a line each")
            let clients = [try run.connect(server), try run.connect(server)]
            let lines = clients.map { _ in run.random.line(8) }
            for (client, line) in zip(clients, lines) { try client.send(line) }
            try server.beToldToEnd(run)
            try server.send(SIGCONT)
            for (client, line) in zip(clients, lines) {
                try server.requireDrained(to: client, line)
            }
            try server.waitForItsEnd()
        }
    }

    func testTakesNoNewClients() throws {
        try check { run in
            let server = try run.startServer()
            let (slow, bytes) = try run.connectAndFill(server)
            try server.beToldToEnd(run)
            try server.waitForNoListener()
            run.transcript.add("a client that connects now is refused")
            try server.requireDrained(to: slow, bytes)
            try server.waitForItsEnd()
        }
    }

    func testASecondSignalChangesNothing() throws {
        try check { run in
            let server = try run.startServer()
            let (slow, bytes) = try run.connectAndFill(server)
            try server.beToldToEnd(run)
            try server.waitForNoListener()
            for _ in 1...2 {
                try server.waitUntilParked()
                try server.beToldToEnd(run)
            }
            try server.requireDrained(to: slow, bytes)
            try server.waitForItsEnd()
        }
    }

    func testAnInterruptionIsNoSignalToEnd() throws {
        try echo { try $0.interruptSelect(.serving) }
    }

    // MARK: No signal is lost

    func testLetsTheSignalInOnlyWhileItWaits() throws {
        try check { run in try run.lookAtTheMask() }
    }

    func testASignalInTheGapIsNotLost() throws {
        try check { run in try run.signalInTheGap() }
    }

    func testHearsTheSignalWhileItIsBusy() throws {
        try check { run in try run.signalABusyServer() }
    }

    func testASignalAtAnyCallIsNotLost() throws {
        try check { run in try run.signalAtEachCall() }
    }

    func testASignalAtAnyMomentIsNotLost() throws {
        try check { run in try run.signalManyAtRandom() }
    }
}
