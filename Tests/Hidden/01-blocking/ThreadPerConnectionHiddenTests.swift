import Checks
import CLinux
import Glibc
import Harness

final class ThreadPerConnectionHiddenTests: ExerciseChecks {
    override class var exercise: String { "thread-per-connection" }

    // MARK: Many at once

    func testServes200ClientsInReverseOrder() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            // Stopped, so that all of them are in the backlog when it accepts the first.
            try server.send(SIGSTOP)
            let clients = try run.connect(server, count: 200)
            try server.send(SIGCONT)
            run.transcript.add("the first is silent; the others speak, the last one first")
            for client in clients.dropFirst().reversed() { try run.exchangeALine(with: client) }
            run.transcript.add("now the first one speaks, too")
            try run.exchangeALine(with: clients[0])
        }
    }

    func testStartsAThreadForEachClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.waitUntilParked()
            let before = Set(server.proc.threadIDs())
            let clients = try run.connect(server, count: 20)
            for client in clients { try run.exchangeALine(with: client) }
            let new = Set(server.proc.threadIDs()).subtracting(before).count
            guard new == 20 else {
                throw CheckFailure(
                    expected: "20 new threads for 20 clients, besides the \(before.count) before",
                    found: "\(counted(new, "new thread"))")
            }
        }
    }

    func testEachThreadWaitsInItsOwnRead() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let clients = try run.connect(server, count: 10)
            for client in clients { try run.exchangeALine(with: client) }
            run.transcript.add("each has its line back; now all are silent")
            let calls = try server.requireParked(
                in: SystemCall.reading, words: "read or recv", count: 10)
            guard Set(calls.map(\.descriptor)).count == 10 else {
                throw CheckFailure(
                    expected: "10 threads, each waiting for a descriptor of its own",
                    found: server.activity)
            }
        }
    }

    // MARK: What is left

    func testThreadsEndWithTheirClients() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.waitUntilParked()
            let before = server.proc.threadIDs().count
            try server.serveAndLeave(run, clients: 30, resets: false)
            try server.wait(for: "\(counted(before, "thread")), as before the first client") {
                server.proc.threadIDs().count <= before
            }
        }
    }

    func testClosesEveryConnection() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.waitUntilParked()
            let before = server.proc.descriptors().count
            try server.serveAndLeave(run, clients: 30, resets: true)
            try server.wait(for: "\(before) open descriptors, as before the first client") {
                server.proc.descriptors().count <= before
            }
        }
    }

    func testReleasesTheStacks() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try server.waitUntilParked()
            let before = server.proc.virtualBytes
            run.transcript.add("300 clients come and go, one after the other")
            for _ in 1...300 {
                let client = try run.connect(server, quietly: true)
                try run.exchangeALine(with: client)
                client.close()
            }
            try server.waitUntilParked()
            // 300 stacks of 8 MiB are 2.4 GiB. What the C library keeps for later is far less.
            let grown = (server.proc.virtualBytes - before) >> 20
            guard grown < 1200 else {
                throw CheckFailure(
                    expected: "an address space that grows by less than 1200 MiB",
                    found: "it grew by \(grown) MiB: the stacks of threads that have ended")
            }
        }
    }

    func testWaitsForADescriptor() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer(openFiles: 16)
            let clients = try run.connect(server, count: 20)
            try server.wait(for: "all of its 16 descriptors to be in use") {
                server.proc.descriptors().count == 16
            }
            run.transcript.add("it has no descriptor left; those that it has go on")
            for client in clients.prefix(5) { try run.exchangeALine(with: client) }
            run.transcript.add("the first 10 leave, and the others speak")
            for client in clients.prefix(10) { client.close() }
            for client in clients.dropFirst(10) { try run.exchangeALine(with: client) }
        }
    }

    // MARK: Who troubles whom

    func testKeepsClientsApart() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let first = try run.connect(server, quietly: true)
            let second = try run.connect(server)
            let bytes = try server.fillUntilAWriteBlocks(run, first)
            // While the first one's bytes wait in its thread's buffer, another thread fills its
            // own.
            for _ in 1...20 {
                let others = run.random.bytes(10_000)
                try second.send(others)
                try second.receive(others)
            }
            run.transcript.add("now \(first.name) reads all that it has sent")
            try first.receive(bytes)
        }
    }

    func testAResetHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let breaker = try run.connect(server)
            let other = try run.connect(server)
            try run.exchangeALine(with: breaker)
            try run.exchangeALine(with: other)
            try server.waitUntilParked()
            breaker.reset()
            try server.waitUntilParked()
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            try server.writeToAGoneClient(run)
            try server.waitUntilParked()
            try run.exchangeALine(with: other)
        }
    }

    func testASlowReaderHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let slow = try run.connect(server, quietly: true)
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            _ = try server.fillUntilAWriteBlocks(run, slow)
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
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

extension ServerProcess {
    /// Lets clients exchange a line each and leave together.
    fileprivate func serveAndLeave(
        _ run: CheckRun, clients count: Int, resets: Bool
    ) throws(CheckFailure) {
        let clients = try run.connect(self, count: count)
        for client in clients { try run.exchangeALine(with: client) }
        run.transcript.add("all of them leave" + (resets ? ", half of them with a reset" : ""))
        for (number, client) in clients.enumerated() {
            if resets, number % 2 == 0 { client.reset() } else { client.close() }
        }
    }
}
