import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class EpollEchoHiddenTests: ExerciseChecks {
    override class var exercise: String { "epoll-echo" }

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
    func testClosesAClientThatTheListHasNoRoomFor() throws {
        try echo { try $0.closesAClientThatTheListHasNoRoomFor() }
    }

    // MARK: A number that comes back

    func testKeepsTheNewClientOfADescriptor() throws {
        try echo { try $0.replaceAClientInOneTurn() }
    }

    // MARK: Many

    func testServesAllThatAreReadyAtOnce() throws { try echo { try $0.makeAllReadyAtOnce() } }

    // MARK: Rest

    func testWaitsInEpollWait() throws { try echo { try $0.waitsInTheCallOfItsModel() } }

    func testHasOneThread() throws {
        try echo { echo in
            let server = try echo.start()
            try echo.run.exchangeALine(withEach: echo.run.connect(server, count: 5))
            try echo.rest(server)
        }
    }

    // MARK: The interest list

    func testHasOneEntryForEachClient() throws { try echo { try $0.countTheEntries() } }

    func testForgetsTheGone() throws { try echo { try $0.emptyTheList() } }

    func testIsLevelTriggered() throws { try echo { try $0.readTheBitsOfAnEntry() } }

    func testAsksForRoomOnlyWhileItOwesBytes() throws {
        try echo { try $0.watchTheInterestInRoom() }
    }

    // MARK: Traced

    func testPutsEachClientIntoTheListOnce() throws { try echo { try $0.countChangesOfTheList() } }

    func testGoesOnAfterAStop() throws {
        try echo { echo in
            let run = echo.run
            let server = try echo.start()
            let client = try run.connect(server)
            for _ in 1...3 {
                try run.exchangeALine(with: client)
                try echo.rest(server)
                run.transcript.add("the server is stopped (SIGSTOP), and goes on (SIGCONT)")
                try server.send(SIGSTOP)
                try server.send(SIGCONT)
            }
            try run.exchangeALine(with: client)
        }
    }
}
