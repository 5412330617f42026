import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class ThreadPerConnectionHiddenTests: ExerciseChecks {
    override class var exercise: String { "thread-per-connection" }

    // MARK: The echo contract

    func testEchoesBytesOneByOne() throws { try echo { try $0.echoesBytesOneByOne() } }
    func testEchoesAllToASlowReader() throws { try echo { try $0.echoesAllToASlowReader() } }
    func testGoesOnAfterAShortWrite() throws { try echo { try $0.goesOnAfterAShortWrite() } }
    func testASlowReaderHoldsNobody() throws { try echo { try $0.aSlowReaderHoldsNobody() } }
    func testKeepsClientsApart() throws { try echo { try $0.keepsClientsApart() } }
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
    func testServesManyClients() throws { try echo { try $0.servesManyClients(600) } }
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
    func testUsesTheCallsOfTheModel() throws { try usesTheCallsOfTheModel() }

    // MARK: Many at once

    func testStartsAThreadForEachClient() throws {
        try check { run in
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
        try check { run in
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

    func testGoesOnWithoutAThread() throws {
        try echo { echo in
            let run = echo.run
            let trace = SyscallTrace.serving
            let server = try echo.start(trace: trace)
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            for _ in 1...2 {
                let before = try echo.restingDescriptors(server)
                trace.inject(
                    .fail(EAGAIN), at: 1, of: SystemCall.numbers(named: ["clone", "clone3"]))
                run.transcript.add("no thread can be started for the next client (EAGAIN)")
                let refused = try run.connect(server)
                try refused.receiveEnd()
                try echo.requireDescriptors(server, before, after: "the client was turned away")
                try run.exchangeALine(with: other)
                try run.visit(server)
            }
        }
    }

    // MARK: What is left

    func testThreadsEndWithTheirClients() throws {
        try check { run in
            let server = try run.startServer()
            try server.waitUntilParked()
            let before = server.proc.threadIDs().count
            try server.serveAndLeave(run, clients: 30, resets: false)
            try server.wait(for: "\(counted(before, "thread")), as before the first client") {
                server.proc.threadIDs().count <= before
            }
        }
    }

    func testReleasesTheStacks() throws {
        try check { run in
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
