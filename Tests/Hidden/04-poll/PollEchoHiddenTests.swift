import CLinux
import Checks
import Glibc
import Harness

final class PollEchoHiddenTests: ExerciseChecks {
    override class var exercise: String { "poll-echo" }

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

    func testGoesOnAfterAShortWrite() throws {
        try check { run throws(CheckFailure) in try run.shortenEveryWrite() }
    }

    func testEchoesAllToASlowReader() throws {
        try check { run throws(CheckFailure) in
            try run.echoSlowly(run.startServer(), bytes: 8 << 20)
        }
    }

    // MARK: Ends

    func testClientThatSaysNothing() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let before = try server.restingDescriptors()
            try run.connect(server).close()
            try server.wait(for: "client 1 to be accepted") {
                SocketTable.listener(port: server.port)?.receiveQueue == 0
            }
            try server.rest()
            try server.requireDescriptors(before, after: "client 1 has left")
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testEchoesAfterHalfClose() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            for count in [40_000, 100_000] {
                let client = try run.connect(server)
                try run.exchangeALine(with: client)
                // Stopped, so that bytes and end are both there when it asks.
                try server.send(SIGSTOP)
                let bytes = run.random.bytes(count)
                try client.send(bytes)
                client.finishSending()
                try server.send(SIGCONT)
                try client.receive(bytes)
                try client.receiveEnd()
            }
        }
    }

    func testSurvivesAReset() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let before = try server.restingDescriptors()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.rest()
            client.reset()
            try server.requireDescriptors(before, after: "the reset")
            try run.exchangeALine(with: other)
        }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            try server.writeToAGoneClient(run)
            try run.exchangeALine(with: other)
            try server.rest()
        }
    }

    func testForgetsAClientThatBreaksOffWhileOwed() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let before = try server.restingDescriptors()
            let slow = try SlowReader(run, server)
            run.transcript.add("\(slow.client.name) resets its connection, with bytes unsent")
            slow.client.reset()
            try server.requireDescriptors(before, after: "the reset")
            try run.exchangeALine(with: other)
        }
    }

    func testLeavesNoDescriptor() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let before = try server.restingDescriptors()
            run.transcript.add(
                "300 clients come and go; some break off, some send and finish at once")
            for number in 1...300 { try run.comeAndGo(server, number) }
            try server.requireDescriptors(before, after: "300 clients have left")
        }
    }

    // MARK: The slow reader

    func testReadsNoMoreThanItCanSend() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try SlowReader(run, server).readAll(run)
        }
    }

    func testASlowReaderHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let slow = try SlowReader(run, server)
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
            try slow.readAll(run)
        }
    }

    func testAsksForRoomOnlyWhileOwed() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            try server.requireRoomAskedFor(0, "nobody is owed a byte")
            let slow = try SlowReader(run, server)
            try server.requireRoomAskedFor(1, "one client is owed bytes")
            try slow.readAll(run)
            try server.requireRoomAskedFor(0, "it has read all of them")
        }
    }

    // MARK: The array

    func testServesTwoThousandClients() throws {
        try check { run throws(CheckFailure) in
            try run.requireDescriptors(2200)
            let server = try run.startServer()
            let clients = try run.connectMany(server, 2000)
            // Stopped, so that it finds all of them ready at once.
            try server.send(SIGSTOP)
            run.transcript.add("stopped meanwhile; each sends a line, the last one first")
            let lines = clients.map { _ in run.random.line(8) }
            for (client, line) in zip(clients, lines).reversed() { try client.send(line) }
            try server.send(SIGCONT)
            for (client, line) in zip(clients, lines).reversed() { try client.receive(line) }
            run.transcript.add("the last one, the first one, and the 1021st speak again")
            for index in [1999, 0, 1020] { try run.exchangeALine(with: clients[index]) }
        }
    }

    func testUsesRowsAgain() throws {
        try check { run throws(CheckFailure) in try run.letThreeHundredComeAndGo() }
    }

    func testAsksAboutNoClosedDescriptor() throws {
        try check { run throws(CheckFailure) in try run.letSomeLeaveAndOthersCome() }
    }

    func testServesTheNeighboursOfTheGone() throws {
        try check { run throws(CheckFailure) in try run.letNeighboursLeaveTogether() }
    }

    func testNewClientsHaveNoOldResults() throws {
        try check { run throws(CheckFailure) in try run.letNewClientsTakeOldPlaces() }
    }

    // MARK: The model

    func testSleepsWhileNothingComes() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try run.exchangeALine(with: run.connect(server))
            let calls = try server.requireParked(in: SystemCall.inPoll, words: "poll")
            guard calls.allSatisfy(\.waitsForever) else {
                throw CheckFailure(
                    expected: "a poll without a time limit: -1, or no timespec for ppoll",
                    found: "a poll that gives up after a while, and wakes the server for nothing")
            }
        }
    }

    func testMakesNoCallsForTheIdle() throws {
        try check { run throws(CheckFailure) in try run.compareCallsWithFewAndManyIdle() }
    }

    func testWaitsForADescriptorToBeFree() throws {
        try check { run throws(CheckFailure) in try run.runOutOfDescriptors() }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let start = try run.serveTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients", requests: 2, bytes: 18)
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run throws(CheckFailure) in try run.interruptPollToo() }
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
}
