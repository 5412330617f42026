import Checks
import CLinux
import Glibc
import Harness

final class SelectEchoHiddenTests: ExerciseChecks {
    override class var exercise: String { "select-echo" }

    // MARK: Clients

    func testEchoesBytesOneByOne() throws {
        try check { run throws(CheckFailure) in
            try run.exchangeBytesOneByOne(with: run.connect(run.startServer()))
        }
    }

    func testClientThatSaysNothing() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try run.connect(server).close()
            // It rests again when it has noticed the end of the silent one.
            try server.waitUntilParked()
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testEchoesAfterHalfClose() throws {
        try check { run throws(CheckFailure) in
            try run.finishSendingWhileItIsStopped(run.startServer())
        }
    }

    func testSurvivesAReset() throws {
        try check { run throws(CheckFailure) in try run.breakOff(run.startServer()) }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run throws(CheckFailure) in
            try run.leaveBeforeTheReplies(run.startServer())
        }
    }

    func testLeavesNoDescriptor() throws {
        try check { run throws(CheckFailure) in try run.comeAndGo(run.startServer()) }
    }

    // MARK: Datagrams

    func testEchoesDatagramsOfEverySize() throws {
        try check { run throws(CheckFailure) in
            let sender = try run.sender(to: run.startServer())
            for size in [0, 1, 1472, 65_507] {
                let payload = run.random.bytes(size)
                try sender.send(payload)
                try sender.receive(payload)
            }
        }
    }

    func testAnswersTheRightSender() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let senders = [try run.sender(to: server), try run.sender(to: server)]
            let gone = try run.sender(to: server)
            try server.waitUntilParked()
            // Stopped, so that all of it is in the socket's queue when the server looks.
            try server.send(SIGSTOP)
            let lines = (1...10).map { _ in run.random.line(8) }
            try gone.send(run.random.line(8))
            gone.close()
            for (number, line) in lines.enumerated() { try senders[number % 2].send(line) }
            try server.send(SIGCONT)
            for (number, line) in lines.enumerated() { try senders[number % 2].receive(line) }
        }
    }

    func testServesClientsAndDatagramsInTurn() throws {
        try check { run throws(CheckFailure) in try run.serveInTurn(.serving) }
    }

    // MARK: What is asked of select

    func testWaitsInSelect() throws {
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in try run.watchWhoIsAskedAbout() }
    }

    func testGivesTheHighestDescriptorPlusOne() throws {
        try check { run throws(CheckFailure) in try run.watchTheFirstArgument() }
    }

    func testAsksForRoomOnlyWhileBytesWait() throws {
        try check { run throws(CheckFailure) in try run.watchWhoIsAskedForRoom() }
    }

    func testAClosedDescriptorLeavesTheSets() throws {
        try check { run throws(CheckFailure) in try run.closeAndLookAtTheSets(.serving) }
    }

    func testBelievesNoSetAfterAnInterruption() throws {
        try check { run throws(CheckFailure) in try run.interruptSelect(.serving) }
    }

    func testReadinessIsOnlyAHint() throws {
        try check { run throws(CheckFailure) in try run.takeAwayWhatWasReady() }
    }

    func testAsksOnceForARequest() throws {
        try check { run throws(CheckFailure) in try run.countTheCallsOfARequest(.serving) }
    }

    // MARK: Limits

    func testServesDescriptorsInEveryWord() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let clients = try run.connect(server, count: 200)
            run.transcript.add("their descriptors lie in four words of a set; each speaks twice")
            for client in clients.reversed() + clients { try run.exchangeALine(with: client) }
        }
    }

    func testRefusesWhatDoesNotFitIntoASet() throws {
        try check { run throws(CheckFailure) in try run.connectMoreThanASetHolds() }
    }

    func testLivesWithoutFreeDescriptors() throws {
        try check { run throws(CheckFailure) in try run.useUpTheDescriptors() }
    }

    // MARK: Slow readers

    func testEchoesAllToASlowReader() throws {
        try check { run throws(CheckFailure) in
            try run.readSlowly(run.startServer())
        }
    }

    func testASlowReaderHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let slow = try run.connect(server, quietly: true)
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let bytes = try run.fillUntilItReadsNoMore(server, slow)
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
            run.transcript.add("now \(slow.name) reads all that it has sent")
            try slow.receive(bytes)
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
        try check { run throws(CheckFailure) in
            try run.interruptEachKindOfCall()
            let trace = SyscallTrace.serving
            try run.interruptDatagrams(run.startServer(trace: trace), trace)
        }
    }

    func testGoesOnAfterAFalseAlarm() throws {
        try check { run throws(CheckFailure) in try run.raiseAFalseAlarm() }
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
