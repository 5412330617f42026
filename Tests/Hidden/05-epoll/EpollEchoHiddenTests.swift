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
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let old = try run.connect(server)
            try run.exchangeALine(with: old)
            try server.requireRestInEpollWait()
            // Stopped, so that the end of one and the beginning of the other come in one answer.
            run.transcript.add("the server is stopped")
            try server.send(SIGSTOP)
            old.close()
            let new = try run.connect(server)
            let line = run.random.line(8)
            try new.send(line)
            try run.despiteTheFault("the server goes on: both events come at once") {
                () throws(CheckFailure) in
                try server.send(SIGCONT)
                try new.receive(line)
                try run.exchangeALine(with: new)
            }
        }
    }

    func testGivesNobodyAnothersBytes() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let slow = try run.connect(server)
            _ = try server.fillUntilItRests(run, slow)
            slow.reset()
            try server.requireRestInEpollWait()
            run.transcript.add("the next client gets the descriptor that has become free")
            try run.exchangeALine(with: run.connect(server))
        }
    }

    // MARK: Many

    func testServes8000Clients() throws {
        try check { run throws(CheckFailure) in
            try run.requireDescriptors(8_300)
            let server = try run.startServer(openFiles: 8_200)
            var clients: [TCPClient] = []
            run.transcript.add("8,000 clients connect; every 400th exchanges a line")
            while clients.count < 8_000 {
                for _ in 0..<400 { clients.append(try run.connect(server, quietly: true)) }
                // The backlog is a queue: when the last one is served, all have been accepted.
                if let last = clients.last { try run.exchangeALine(with: last) }
            }
            run.transcript.add("now each of them speaks, the last one first")
            for client in clients.reversed() { try run.exchangeALine(with: client) }
        }
    }

    func testServesAllThatAreReadyAtOnce() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            var clients = try run.connect(server, count: 700)
            for client in clients { try run.exchangeALine(with: client) }
            for _ in 1...2 {
                try server.send(SIGSTOP)
                run.transcript.add("the server is stopped; all of them send a line; it goes on")
                let line = run.random.line(8)
                for client in clients { try client.send(line) }
                try server.send(SIGCONT)
                for client in clients { try client.receive(line) }
                try server.requireRestInEpollWait()
                clients += try run.connect(server, count: 3)
                for client in clients.suffix(3) { try run.exchangeALine(with: client) }
            }
        }
    }

    func testLeavesNoDescriptor() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.requireRestInEpollWait()
            let before = server.proc.descriptors().count
            run.transcript.add("300 clients come and go; every third breaks off with a reset")
            for number in 1...300 {
                let client = try run.connect(server, quietly: true)
                try run.exchangeALine(with: client)
                if number % 3 == 0 { client.reset() } else { client.close() }
            }
            try server.requireRestInEpollWait()
            let after = server.proc.descriptors().count
            guard after <= before else {
                throw CheckFailure(
                    expected: "\(before) open descriptors, as before the first client",
                    found: "\(after), so \(after - before) are left of 300 clients")
            }
        }
    }

    func testLetsTheRestWaitWhenItHasNoDescriptorLeft() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer(openFiles: 20)
            let clients = try run.connect(server, count: 40)
            try server.requireRestInEpollWait(
                cause: "accept fails with EMFILE, and the listener stays ready: epoll_wait returns "
                    + "at once, again and again. Take EPOLLIN off the listener for the time.")
            let waiting = SocketTable.listener(port: server.port)?.receiveQueue ?? 0
            guard waiting > 0 else {
                throw CheckFailure(
                    expected: "clients that wait in the backlog: 20 descriptors are not enough",
                    found: "an empty backlog", cause: "Who is accepted and closed is turned away.")
            }
            let served = clients.count - waiting
            run.transcript.add("\(served) are accepted, \(waiting) wait in the backlog")
            for client in clients.prefix(served) { try run.exchangeALine(with: client) }
            run.transcript.add("then one after the other leaves, and each time the next is served")
            for (leaver, next) in zip(clients, clients.dropFirst(served)) {
                leaver.close()
                try run.exchangeALine(with: next)
            }
            try server.requireRestInEpollWait()
        }
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
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let clients = try run.connect(server, count: 20)
            for client in clients { try run.exchangeALine(with: client) }
            let list = try server.interestList()
            guard list.count == 21 else {
                throw CheckFailure(
                    expected: "21 entries in the interest list: the listener and 20 clients",
                    found: "\(list.count): descriptors \(list.map { String($0.descriptor) })")
            }
            guard Set(list.map(\.data)).count == 21 else {
                throw CheckFailure(
                    expected: "21 different values of `data`, by which each event is known",
                    found: "some are equal: \(list.map { String($0.data) })")
            }
        }
    }

    func testForgetsTheGone() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let clients = try run.connect(server, count: 20)
            for client in clients { try run.exchangeALine(with: client) }
            run.transcript.add("all of them leave, half of them with a reset")
            for (number, client) in clients.enumerated() {
                if number % 2 == 0 { client.reset() } else { client.close() }
            }
            var list: [Interest] = []
            try server.waitOrSpin(
                for: "an interest list with nothing but the listener",
                cause:
                    "An entry belongs to the connection, not to the number. It stays while any "
                    + "copy of the descriptor is open: use EPOLL_CTL_DEL, or make no copies."
            ) { () throws(CheckFailure) in
                list = try server.interestList()
                return list.count == 1
            }
            try server.requireRestInEpollWait()
        }
    }

    func testIsLevelTriggered() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            let entry = try server.entry(of: client)
            for (bit, name, meaning) in [
                (EPOLLET, "EPOLLET", "Edge-triggered is the next exercise."),
                (EPOLLONESHOT, "EPOLLONESHOT", "It costs an epoll_ctl for each event."),
            ] where entry.events & bit.rawValue != 0 {
                throw CheckFailure(
                    expected: "an entry without \(name)",
                    found: "\(client.name) is watched with it: events "
                        + String(entry.events, radix: 16), cause: meaning)
            }
        }
    }

    func testAsksForRoomOnlyWhileItOwesBytes() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.requireInterestInRoom(of: client, false, "nothing is unsent")
            let bytes = try server.fillUntilItRests(run, client)
            try server.requireInterestInRoom(of: client, true, "bytes are unsent")
            run.transcript.add("\(client.name) reads all that it has sent, and exchanges a line")
            try client.receive(bytes)
            try run.exchangeALine(with: client)
            try server.requireInterestInRoom(of: client, false, "nothing is unsent any more")
        }
    }

    // MARK: Traced

    func testPutsEachClientIntoTheListOnce() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let clients = try run.connect(server, count: 3)
            for client in clients { try run.exchangeALine(with: client) }
            try server.waitUntilParked()
            let before = trace.calls(SYS_epoll_ctl).count
            run.transcript.add("each of them exchanges ten more lines")
            for _ in 1...10 { for client in clients { try run.exchangeALine(with: client) } }
            try server.waitUntilParked()
            let after = trace.calls(SYS_epoll_ctl).count
            guard after == before else {
                throw CheckFailure(
                    expected: "no epoll_ctl for 30 lines: nothing about the list has changed",
                    found: counted(after - before, "epoll_ctl"),
                    cause: "The kernel keeps the list. Telling it again each time is poll's way.")
            }
        }
    }

    func testAsksOnlyThoseWhoAreReady() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let clients = try run.connect(server, count: 60)
            for client in clients { try run.exchangeALine(with: client) }
            try server.waitUntilParked()
            let before = trace.events.count
            run.transcript.add("one of them exchanges ten lines; the others are silent")
            for _ in 1...10 { try run.exchangeALine(with: clients[30]) }
            try server.waitUntilParked()
            let count = trace.events.count - before
            guard count <= 80 else {
                throw CheckFailure(
                    expected: "at most 80 calls for ten lines of one client",
                    found: "\(counted(count, "call")), with 59 silent clients",
                    cause: "epoll_wait says who is ready. The others need not be asked.")
            }
        }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let start = try run.serveTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients")
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

    func testGoesOnAfterAShortWrite() throws {
        try check { run throws(CheckFailure) in try run.shortenEveryWrite() }
    }
}

extension ServerProcess {
    /// Requires that EPOLLOUT is in a client's entry, or that it is not.
    fileprivate func requireInterestInRoom(
        of client: TCPClient, _ wanted: Bool, _ why: String
    ) throws(CheckFailure) {
        let entry = try entry(of: client)
        guard (entry.events & EPOLLOUT.rawValue != 0) != wanted else { return }
        throw CheckFailure(
            expected: "\(client.name) watched \(wanted ? "with" : "without") EPOLLOUT: \(why)",
            found: "its entry has events \(String(entry.events, radix: 16)), "
                + (wanted ? "without EPOLLOUT (4)" : "and EPOLLOUT (4) is among them"),
            cause: wanted
                ? "An entry is changed with EPOLL_CTL_MOD; EPOLL_CTL_ADD fails with EEXIST."
                : "A socket has room nearly always. Who waits for that with nothing to send "
                    + "never waits.")
    }
}
