import Checks
import CLinux
import Glibc
import Harness

final class EpollEchoHiddenTests: ExerciseChecks {
    override class var exercise: String { "epoll-echo" }

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
            try run.startServer().echoToAFullReader(run, bytes: 16 << 20)
        }
    }

    // MARK: Ends

    func testClientThatSaysNothing() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try run.connect(server).close()
            try server.requireRestInEpollWait()
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testEchoesAfterHalfClose() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            // Stopped, so that the bytes and the end are both there when it asks.
            try server.send(SIGSTOP)
            let bytes = run.random.bytes(50_000)
            try client.send(bytes)
            client.finishSending()
            try server.send(SIGCONT)
            try client.receive(bytes)
            try client.receiveEnd()
        }
    }

    func testSurvivesAReset() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let breaker = try run.connect(server)
            let other = try run.connect(server)
            try run.exchangeALine(with: breaker)
            try run.exchangeALine(with: other)
            try server.requireRestInEpollWait()
            breaker.reset()
            try server.requireRestInEpollWait(
                cause:
                    "EPOLLERR and EPOLLHUP come without being asked for, and beside EPOLLIN. Test "
                    + "bits with &, not with ==, and close the client.")
            try run.exchangeALine(with: other)
        }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            try server.writeToAGoneClient(run)
            try server.requireRestInEpollWait()
            try run.exchangeALine(with: other)
        }
    }

    func testSurvivesAResetWhileItOwesBytes() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let slow = try run.connect(server)
            _ = try server.fillUntilItRests(run, slow)
            slow.reset()
            try server.requireRestInEpollWait(
                cause:
                    "The event of a reset is EPOLLOUT with EPOLLERR and EPOLLHUP beside it. Test "
                    + "bits with &, not with ==, and close the client.")
            try run.exchangeALine(with: other)
        }
    }

    // MARK: A number that comes back

    func testKeepsTheNewClientOfADescriptor() throws {
        try check { run throws(CheckFailure) in try run.replaceAClientInOneTurn() }
    }

    func testGivesNobodyAnothersBytes() throws {
        try check { run throws(CheckFailure) in try run.replaceAClientThatWasOwedBytes() }
    }

    // MARK: Many

    func testServes8000Clients() throws {
        try check { run throws(CheckFailure) in try run.serve8000Clients() }
    }

    func testServesAllThatAreReadyAtOnce() throws {
        try check { run throws(CheckFailure) in try run.makeAllReadyAtOnce() }
    }

    func testLeavesNoDescriptor() throws {
        try check { run throws(CheckFailure) in try run.serve300ClientsThatLeave() }
    }

    func testLetsTheRestWaitWhenItHasNoDescriptorLeft() throws {
        try check { run throws(CheckFailure) in try run.runOutOfDescriptors() }
    }

    // MARK: Rest

    func testWaitsInEpollWait() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            run.transcript.add("nobody connects")
            try server.requireRestInEpollWait()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            run.transcript.add("\(client.name) is silent")
            try server.requireRestInEpollWait()
        }
    }

    func testASlowReaderHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let slow = try run.connect(server)
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let bytes = try server.fillUntilItRests(run, slow)
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
            try server.requireRestInEpollWait(
                cause:
                    "An entry that waits for what is always there makes epoll_wait return at once.")
            run.transcript.add("now \(slow.name) reads all that it has sent")
            try slow.receive(bytes)
        }
    }

    func testHasOneThread() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            for client in try run.connect(server, count: 5) { try run.exchangeALine(with: client) }
            let count = server.proc.threadIDs().count
            guard count == 1 else {
                throw CheckFailure(
                    expected: "one thread for all clients",
                    found: "\(count) threads. \(server.activity)")
            }
        }
    }

    // MARK: The interest list

    func testHasOneEntryForEachClient() throws {
        try check { run throws(CheckFailure) in try run.countTheEntries() }
    }

    func testForgetsTheGone() throws {
        try check { run throws(CheckFailure) in try run.emptyTheList() }
    }

    func testIsLevelTriggered() throws {
        try check { run throws(CheckFailure) in try run.readTheBitsOfAnEntry() }
    }

    func testAsksForRoomOnlyWhileItOwesBytes() throws {
        try check { run throws(CheckFailure) in try run.watchTheInterestInRoom() }
    }

    // MARK: Traced

    func testPutsEachClientIntoTheListOnce() throws {
        try check { run throws(CheckFailure) in try run.countChangesOfTheList() }
    }

    func testAsksOnlyThoseWhoAreReady() throws {
        try check { run throws(CheckFailure) in try run.countCallsAmongSilentClients() }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let start = try run.serveTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients", requests: 2, bytes: 18)
        }
    }

    func testGoesOnAfterAStop() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            for _ in 1...3 {
                try run.exchangeALine(with: client)
                try server.requireRestInEpollWait()
                run.transcript.add("the server is stopped (SIGSTOP), and goes on (SIGCONT)")
                try server.send(SIGSTOP)
                try server.send(SIGCONT)
            }
            try run.exchangeALine(with: client)
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run throws(CheckFailure) in try run.interruptEachKindOfCall() }
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

    func testClosesAClientThatTheListHasNoRoomFor() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let client = try run.connect(server)
            try run.refuseAnEntry(server, trace) { () throws(CheckFailure) in
                try run.exchangeALine(with: client)
            }
        }
    }

    func testGoesOnAfterAShortWrite() throws {
        try check { run throws(CheckFailure) in try run.shortenEveryWrite() }
    }
}
