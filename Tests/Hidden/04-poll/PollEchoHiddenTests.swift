import CLinux
import Checks
import Glibc
import Harness
import HiddenScenes
import Scenes

final class PollEchoHiddenTests: ExerciseChecks {
    override class var exercise: String { "poll-echo" }

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
    func testServesManyClients() throws { try echo { try $0.servesManyClients(4_200) } }
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

    // MARK: The slow reader

    func testAsksForRoomOnlyWhileOwed() throws {
        try echo { echo in
            let server = try echo.start()
            try echo.run.exchangeALine(with: echo.run.connect(server))
            try server.requireRoomAskedFor(0, "nothing is unsent")
            let slow = try echo.slowReader(server)
            try server.requireRoomAskedFor(1, "bytes for one client are unsent")
            try slow.readAll(echo.run)
            try server.requireRoomAskedFor(0, "it has read all of them")
        }
    }

    // MARK: The array

    func testUsesRowsAgain() throws { try echo { try $0.letThreeHundredComeAndGo() } }

    func testAsksAboutNoClosedDescriptor() throws {
        try echo { try $0.letSomeLeaveAndOthersCome() }
    }

    func testNewClientsHaveNoOldResults() throws {
        try echo { try $0.letNewClientsTakeOldPlaces() }
    }

    // MARK: The model

    func testSleepsWhileNothingComes() throws { try echo { try $0.waitsInTheCallOfItsModel() } }
}
