import Checks
import CLinux
import Glibc
import Harness

final class PselectDrainHiddenTests: ExerciseChecks {
    override class var exercise: String { "pselect-drain" }

    // MARK: It serves

    func testEchoesBytesOneByOne() throws {
        try check { run throws(CheckFailure) in
            try run.exchangeBytesOneByOne(with: run.connect(run.startServer()))
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

    func testEchoesAllToASlowReader() throws {
        try check { run throws(CheckFailure) in
            try run.readSlowly(run.startServer())
        }
    }

    func testWaitsInPselect() throws {
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
            try run.interruptSelect(.serving)
        }
    }

    // MARK: No signal is lost

    func testLetsTheSignalInOnlyWhileItWaits() throws {
        try check { run throws(CheckFailure) in try run.lookAtTheMask() }
    }

    func testASignalInTheGapIsNotLost() throws {
        try check { run throws(CheckFailure) in try run.signalInTheGap() }
    }

    func testHearsTheSignalWhileItIsBusy() throws {
        try check { run throws(CheckFailure) in try run.signalABusyServer() }
    }

    func testASignalAtAnyCallIsNotLost() throws {
        try check { run throws(CheckFailure) in try run.signalAtEachCall() }
    }

    func testASignalAtAnyMomentIsNotLost() throws {
        try check { run throws(CheckFailure) in try run.signalManyAtRandom() }
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
