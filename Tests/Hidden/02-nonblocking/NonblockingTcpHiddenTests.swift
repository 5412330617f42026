import Checks
import CLinux
import Glibc
import Harness

final class NonblockingTcpHiddenTests: ExerciseChecks {
    override class var exercise: String { "nonblocking-tcp" }

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
            let server = try run.startServer()
            let client = try run.connect(server, quietly: true)
            let bytes = run.manyBytes(12 << 20)
            let sent = try server.fill(run, client, with: bytes)
            run.transcript.add("\(client.name) reads, and sends the rest up to 12 MiB")
            try server.drain(client, bytes, sent: sent)
        }
    }

    // MARK: Ends

    func testClientThatSaysNothing() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server)
            client.finishSending()
            try client.receiveEnd()
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testEchoesAfterHalfClose() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server, quietly: true)
            let bytes = run.manyBytes(16 << 20)
            let sent = try server.fill(run, client, with: bytes)
            run.transcript.add("\(client.name) finishes sending, and now reads all of it")
            client.finishSending()
            try server.drain(client, Array(bytes.prefix(sent)), sent: sent)
            try client.receiveEnd()
        }
    }

    func testSendsTheRestBeforeItCloses() throws {
        try check { run throws(CheckFailure) in
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

    func testSurvivesAReset() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let breaker = try run.connect(server)
            let other = try run.connect(server)
            try run.exchangeALine(with: breaker)
            breaker.reset()
            try server.runOn("after the reset")
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let other = try run.connect(server)
            try server.writeToAGoneClient(run)
            try server.runOn("after the client is gone")
            try run.exchangeALine(with: other)
        }
    }

    // MARK: Many at once

    func testServes100ClientsInReverseOrder() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            // Stopped, so that all of them are in the backlog when it accepts the first.
            try server.send(SIGSTOP)
            let clients = try run.connect(server, count: 100)
            try server.send(SIGCONT)
            run.transcript.add("every third is silent; the others speak, the last one first")
            for (number, client) in clients.enumerated().reversed() where number % 3 != 0 {
                try run.exchangeALine(with: client)
            }
            run.transcript.add("now the silent ones speak, too")
            for (number, client) in clients.enumerated() where number % 3 == 0 {
                try run.exchangeALine(with: client)
            }
            let threads = server.proc.threadIDs().count
            guard threads == 1 else {
                throw CheckFailure(
                    expected: "one thread that serves all clients",
                    found: counted(threads, "thread"))
            }
        }
    }

    func testClientsThatLeaveTogether() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            // Where in its turn it is stopped is left to chance; three times, so that once it finds
            // all three ends in one turn.
            for _ in 1...3 {
                let before = server.proc.descriptors().count
                let clients = try run.connect(server, count: 6)
                for client in clients { try run.exchangeALine(with: client) }
                try server.send(SIGSTOP)
                run.transcript.add("the server is stopped, the first, second and fourth leave")
                for index in [0, 1, 3] { clients[index].close() }
                try server.send(SIGCONT)
                run.transcript.add("the server goes on, and the other three speak")
                for index in [2, 4, 5] { try run.exchangeALine(with: clients[index]) }
                try server.requireClosed(before + 3, after: "the three that left")
            }
        }
    }

    func testASlowReaderHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let slow = try run.connect(server, quietly: true)
            let other = try run.connect(server)
            try run.exchangeALine(with: other)
            let bytes = run.manyBytes(16 << 20)
            var sent = 0
            // A delayed acknowledgement makes room once more: only then are all buffers full.
            for _ in 1...3 {
                sent += try server.fill(run, slow, with: Array(bytes[sent...]))
                try run.exchangeALine(with: other)
            }
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testKeepsClientsApart() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let first = try run.connect(server, quietly: true)
            let second = try run.connect(server, quietly: true)
            let third = try run.connect(server)
            let bytes = run.manyBytes(12 << 20)
            let others = run.manyBytes(12 << 20)
            let sent = try server.fill(run, first, with: bytes)
            let othersSent = try server.fill(run, second, with: others)
            for _ in 1...3 { try run.exchangeALine(with: third) }
            run.transcript.add("now \(first.name) reads all that it has sent, then \(second.name)")
            try server.drain(first, Array(bytes.prefix(sent)), sent: sent)
            try server.drain(second, Array(others.prefix(othersSent)), sent: othersSent)
        }
    }

    // MARK: What is left

    func testMemoryStaysBounded() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let client = try run.connect(server, quietly: true)
            try run.exchangeALine(with: client)
            let before = server.proc.residentBytes
            let bytes = [UInt8](repeating: 0x77, count: 64 << 20)
            _ = try server.fill(run, client, with: bytes) { () throws(CheckFailure) in
                let grown = (server.proc.residentBytes - before) >> 20
                guard grown < 16 else {
                    throw CheckFailure(
                        expected: "a server that grows by less than 16 MiB, however much a "
                            + "client sends that does not read",
                        found: "it has grown by \(grown) MiB, and reads on")
                }
            }
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testForgetsASlowReaderThatIsGone() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let before = server.proc.descriptors().count
            let slow = try run.connect(server, quietly: true)
            _ = try server.fill(run, slow, with: run.manyBytes(16 << 20))
            run.transcript.add("\(slow.name) resets its connection (RST)")
            slow.reset()
            try server.requireClosed(before, after: "the client that is gone")
            try run.exchangeALine(with: run.connect(server))
        }
    }

    func testLeavesNoDescriptor() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            let before = server.proc.descriptors().count
            run.transcript.add("300 clients come and go; every third resets its connection")
            for number in 1...300 {
                let client = try run.connect(server, quietly: true)
                try run.exchangeALine(with: client)
                if number % 3 == 0 { client.reset() } else { client.close() }
            }
            try server.requireClosed(before, after: "the first client")
        }
    }

    func testGoesOnWithoutAFreeDescriptor() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer(openFiles: 64)
            let clients = try run.connect(server, count: 80)
            for client in clients.prefix(50) { try run.exchangeALine(with: client) }
            try server.wait(for: "the rest of the clients to wait in the backlog") {
                let row = SocketTable.listener(port: server.port)
                return server.proc.descriptors().count >= 64 && (row?.receiveQueue ?? 0) > 0
            }
            run.transcript.add("it has no descriptor left; those that it has go on")
            try server.runOn("without a free descriptor")
            for client in clients.prefix(5) { try run.exchangeALine(with: client) }
            run.transcript.add("the first 40 leave, and the rest speak")
            for client in clients.prefix(40) { client.close() }
            for client in clients.dropFirst(40) { try run.exchangeALine(with: client) }
        }
    }
}
