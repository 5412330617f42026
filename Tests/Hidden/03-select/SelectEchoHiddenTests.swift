import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class SelectEchoHiddenTests: ExerciseChecks {
    override class var exercise: String { "select-echo" }

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
    func testGoesOnAfterAnInterruption() throws {
        try echo { echo in
            try echo.goesOnAfterAnInterruption()
            try echo.datagramsSurviveAnInterruption()
        }
    }
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

    // MARK: Datagrams

    func testEchoesDatagramsOfEverySize() throws { try echo { try $0.echoesEverySize() } }
    func testAnswersTheRightSender() throws {
        try echo { echo in
            try echo.answersTheRightSender()
            try echo.survivesASenderThatIsGone()
        }
    }

    func testServesClientsAndDatagramsInTurn() throws {
        try check { run in try run.serveInTurn(.serving) }
    }

    // MARK: What is asked of select

    func testWaitsInSelect() throws {
        try check { run in
            let server = try run.startServer()
            run.transcript.add("nobody connects")
            try server.requireParkedInSelect()
            let clients = [try run.connect(server), try run.connect(server)]
            for client in clients { try run.exchangeALine(with: client) }
            run.transcript.add("both clients are silent")
            try server.requireParkedInSelect()
            let sender = try run.sender(to: server)
            let line = run.random.line(8)
            try sender.send(line)
            try sender.receive(line)
            try server.requireParkedInSelect()
        }
    }

    func testAsksAboutEveryone() throws {
        try echo { try $0.watchWhoIsAskedAbout() }
    }

    func testGivesTheHighestDescriptorPlusOne() throws {
        try echo { try $0.watchTheFirstArgument() }
    }

    func testAsksForRoomOnlyWhileBytesWait() throws {
        try echo { try $0.watchWhoIsAskedForRoom() }
    }

    func testAClosedDescriptorLeavesTheSets() throws {
        try echo { try $0.closeAndLookAtTheSets(.serving) }
    }

    func testBelievesNoSetAfterAnInterruption() throws {
        try echo { try $0.interruptSelect(.serving) }
    }

    func testReadinessIsOnlyAHint() throws {
        try check { run in try run.takeAwayWhatWasReady() }
    }

    // MARK: Limits

    func testRefusesWhatDoesNotFitIntoASet() throws {
        try check { run in try run.connectMoreThanASetHolds() }
    }
}
