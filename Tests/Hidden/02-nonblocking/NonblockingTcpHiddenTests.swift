import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class NonblockingTcpHiddenTests: ExerciseChecks {
    override class var exercise: String { "nonblocking-tcp" }

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
    func testServesManyClients() throws { try echo { try $0.servesManyClients(1_100) } }
    func testNobodyStarves() throws { try echo { try $0.nobodyStarves() } }
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

    // MARK: Ends

    func testSendsTheRestBeforeItCloses() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            for number in 1...40 {
                trace.inject(.fail(EAGAIN), at: number, of: SystemCall.writing, from: 3)
            }
            let fault = "its next 40 writes will find no room in the socket (EAGAIN)"
            try run.despiteTheFault(fault) { () throws(CheckFailure) in
                let client = try run.connect(server)
                let line = run.random.line(8)
                try client.send(line)
                client.finishSending()
                try client.receive(line)
                try client.receiveEnd()
            }
        }
    }
}
