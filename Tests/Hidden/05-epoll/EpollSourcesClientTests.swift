import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// The clients: what they say, what they are told, and how they leave.
extension EpollSourcesHiddenTests {
    func testTakesCommandsInPieces() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            let other = try room.join()
            for piece in ["ad", "d", " 4\nadd", " 6", "0\nhel"] {
                try client.tcp.send(Array(piece.utf8))
                try room.server.waitUntilParked()
            }
            try room.expect("counter 4")
            try room.expect("counter 60")
            try client.tcp.send(Array("lo\n".utf8))
            try client.expect("unknown hello")
            // Nobody else is told.
            try other.send("add 1")
            try room.expect("counter 1")
        }
    }

    func testObeysAClientThatLeaves() throws {
        try check { run in
            let room = try ControlRoom(run)
            let witness = try room.join()
            let leaver = try room.join()
            try room.whileStopped { () throws(CheckFailure) in
                try leaver.send("add 5")
                leaver.tcp.finishSending()
            }
            try witness.expect(inAnyOrder: ["counter 5", "clients 1"])
            room.forget(leaver)
            leaver.tcp.close()
            _ = try room.join()
        }
    }

    func testTellsAllClientsTheSame() throws {
        try check { run in
            let room = try ControlRoom(run)
            let clients = [try room.join(), try room.join(), try room.join()]
            let writer = try room.openFifo()
            var wanted: Set<String> = []
            try room.whileStopped { () throws(CheckFailure) in
                run.transcript.add("20 files are created, and 20 lines written into the FIFO")
                for number in 1...20 {
                    try room.create("file-\(number)", quietly: true)
                    try room.write("line \(number)\n", into: writer, quietly: true)
                    wanted.formUnion(["created file-\(number)", "fifo line \(number)"])
                }
            }
            var order: [String] = []
            run.transcript.add("each of the 3 clients waits for 40 lines")
            for client in clients {
                var lines: [String] = []
                for _ in 1...40 {
                    lines.append(try client.line("40 lines, one for each event"))
                }
                if client === clients[0] { order = lines }
                guard Set(lines) == wanted, lines == order else {
                    let index = lines.indices.first { lines[$0] != order[$0] } ?? 0
                    throw CheckFailure(
                        expected: "the same 40 lines in the same order for each client",
                        found: "line \(index + 1) for \(client.tcp.name) is \"\(lines[index])\", "
                            + "for \(clients[0].tcp.name) it was \"\(order[index])\"")
                }
            }
            room.leaveFifo(writer)
        }
    }

    func testLeavesNoDescriptor() throws {
        try check { run in
            let room = try ControlRoom(run)
            let witness = try room.join()
            try room.requireParked()
            let before = room.server.proc.descriptors().count
            run.transcript.add("300 clients come and go; every third resets its connection")
            for number in 1...300 {
                let client = try run.connect(room.server, quietly: true)
                try witness.read("clients 2")
                if number % 3 == 0 { client.reset() } else { client.close() }
                try witness.read("clients 1")
            }
            try room.requireParked()
            let after = room.server.proc.descriptors().count
            guard after <= before else {
                throw CheckFailure(
                    expected: "\(before) open descriptors, as before the 300 clients",
                    found: "\(after), so \(after - before) are left")
            }
        }
    }

    func testSurvivesAWriteToAGoneClient() throws {
        try check { run in
            let room = try ControlRoom(run)
            let gone = try room.join()
            let client = try room.join()
            room.forget(gone)
            // Its news come first: there are two writes to somebody who is gone.
            try room.whileStopped { () throws(CheckFailure) in
                try room.create("file")
                room.signal(SIGUSR1, "SIGUSR1")
                gone.tcp.close()
            }
            let lines = ["created file", "signal SIGUSR1 from \(getpid())", "clients 1"]
            try client.expect(inAnyOrder: lines)
            try client.send("add 1")
            try client.expect("counter 1")
        }
    }

    func testASlowClientGetsAllLines() throws {
        try check { run in
            let room = try ControlRoom(run)
            let slow = try room.join()
            let socket = try room.descriptor(of: slow)
            let quick = try room.join()
            let writer = try room.openFifo()
            run.transcript.add("\(slow.tcp.name) reads nothing while long lines are told")
            var told = 0
            // Beyond what the kernel keeps for it, the rest lies in the server.
            while try told <= room.bytesInTheKernel(for: slow, socket) {
                guard told < 24 << 20 else {
                    throw CheckFailure(
                        expected: "a send buffer of the kernel's usual size",
                        found: "the kernel has taken 24 MiB for a client that reads nothing")
                }
                told += try room.tellLongLines(writer, quick)
                try room.server.waitUntilParked()
                guard !quick.hasSeen("clients 1") else {
                    throw CheckFailure(
                        expected: "a slow client that stays while it is owed less than 1 MiB",
                        found: "it was dropped when it had been told \(told) bytes")
                }
            }
            run.transcript.add("now \(slow.tcp.name) reads all of the \(told) bytes")
            for _ in 0..<(told / (room.longLine.utf8.count + 1)) { try slow.read(room.longLine) }
            try slow.send("add 1")
            try room.expect("counter 1")
            room.leaveFifo(writer)
        }
    }

    func testDropsAClientThatDoesNotRead() throws {
        try check { run in
            let room = try ControlRoom(run)
            let silent = try room.join()
            let socket = try room.descriptor(of: silent)
            let quick = try room.join()
            room.forget(silent)
            let writer = try room.openFifo()
            let before = room.server.proc.residentBytes
            run.transcript.add("\(silent.tcp.name) reads nothing while long lines are told")
            var told = 0
            while !quick.hasSeen("clients 1") {
                told += try room.tellLongLines(writer, quick)
                try room.server.waitUntilParked()
                // Its socket is closed: the line about it is on its way.
                guard room.server.proc.descriptors()[socket] != nil else { continue }
                let owed = try told - room.bytesInTheKernel(for: silent, socket)
                guard owed < 3 << 20 else {
                    throw CheckFailure(
                        expected: "the line \"clients 1\": a client that is owed more than 1 MiB "
                            + "is dropped",
                        found: "it is still there, and the server keeps \(owed >> 20) MiB for it, "
                            + "besides what is in the kernel")
                }
            }
            let grown = (room.server.proc.residentBytes - before) >> 20
            guard grown < 16 else {
                throw CheckFailure(
                    expected: "a server that keeps at most 1 MiB for one client",
                    found: "its memory has grown by \(grown) MiB")
            }
            try quick.send("add 1")
            try quick.expect("counter 1")
            room.leaveFifo(writer)
        }
    }

    func testRunsOutOfDescriptors() throws {
        try check { run in
            let room = try ControlRoom(run, openFiles: 24)
            let first = try room.join()
            let others = try run.connect(room.server, count: 30)
            try room.requireParked(
                cause: "The listener stays ready while clients wait in the backlog: with EMFILE, "
                    + "do not ask for it until a client has left.")
            let inside = others.filter { $0.waitingBytes > 0 }.count
            guard inside > 0, inside < 30 else {
                throw CheckFailure(
                    expected: "some of the 30 clients greeted, the others in the backlog",
                    found: "\(inside) were greeted")
            }
            try first.send("add 1")
            run.transcript.add("\(first.tcp.name) waits for the line \"counter 1\"")
            while try first.line("the line \"counter 1\"") != "counter 1" {}
            run.transcript.add("\(first.tcp.name) leaves, so that the next one has room")
            first.tcp.close()
            try room.server.wait(for: "one of the clients in the backlog to be greeted") {
                others.filter { $0.waitingBytes > 0 }.count > inside
            }
        }
    }
}
