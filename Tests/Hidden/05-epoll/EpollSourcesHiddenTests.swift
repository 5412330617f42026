import Checks
import CLinux
import Glibc
import Harness

final class EpollSourcesHiddenTests: ExerciseChecks {
    override class var exercise: String { "epoll-sources" }

    // MARK: The timer

    func testCountsMissedExpirations() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            try client.send("every 10")
            _ = try client.expirations()
            try room.whileStopped { () throws(CheckFailure) in
                try room.waitForTicks(5, period: 10)
            }
            // What it had told before it was stopped comes first; the counter comes last.
            try client.send("add 1")
            let told = try client.timerLines(until: "counter 1")
            guard told.contains(where: { $0 >= 5 }) else {
                throw CheckFailure(
                    expected: "one line with the number of all expirations, at least \"timer 5\"",
                    found: "the lines \(told.suffix(10).map { "timer \($0)" })",
                    cause: "The 8 bytes that read gives are that number.")
            }
        }
    }

    func testADisarmedTimerHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            // The command is ready first, the timer second: epoll tells of both at once. If the timer
            // was the first, that shows nothing, and is done again.
            var isFirst = false
            while !isFirst {
                try client.send("every 50")
                try room.whileStopped { () throws(CheckFailure) in
                    try client.send("every 0")
                    isFirst = room.unreadTicks == 0
                    try room.waitForTicks(1, period: 50)
                }
            }
            try client.send("add 1")
            try client.timerLines(until: "counter 1")
        }
    }

    // MARK: Signals

    func testTellsMergedSignals() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.whileStopped { () throws(CheckFailure) in
                room.signal(SIGUSR1, "SIGUSR1", times: 5)
                room.signal(SIGUSR2, "SIGUSR2")
                room.signal(SIGRTMIN(), "SIGRTMIN", times: 20)
            }
            let names = ["SIGUSR1", "SIGUSR2"] + Array(repeating: "SIGRTMIN", count: 20)
            try client.expect(inAnyOrder: names.map { "signal \($0) from \(getpid())" })
            try client.send("add 1")
            try client.expect("counter 1")
        }
    }

    // MARK: The counter

    func testAddsUpTheCounter() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            _ = try room.join()
            try client.send("add 5")
            try room.expect("counter 5")
            try client.send("add 300")
            try room.expect("counter 300")
            try client.send("add 2", "add 3", "add 4")
            var sum = 0
            while sum < 9 {
                let line = try client.line("lines of the counter with the sum 9")
                guard line.hasPrefix("counter "), let count = Int(line.dropFirst(8)), count > 0,
                    sum + count <= 9
                else {
                    throw CheckFailure(
                        expected: "lines like \"counter 5\", with the sum 9",
                        found: "the line \(escaped(Array(line.utf8))), after a sum of \(sum)")
                }
                sum += count
            }
        }
    }

    func testAFullCounterHoldsNobody() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            let most = UInt64.max - 1
            // Who reads the counter between the two commands has room for the second one.
            try client.send("add \(most)", "add 1")
            let wanted = ["counter \(most)", "full", "counter 1"]
            var left = Set(wanted)
            for _ in 1...2 {
                let line = try client.line("the line \"counter \(most)\" or \"full\"")
                guard left.remove(line) != nil else {
                    throw CheckFailure(
                        expected: "the lines \"counter \(most)\" and \"full\"",
                        found: "the line \(escaped(Array(line.utf8), limit: 60))")
                }
            }
            try client.send("add 7")
            try client.expect("counter 7")
        }
    }

    // MARK: The inbox

    func testTellsTheInbox() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.create("first")
            try client.expect(
                "created first", cause: "The name ends at its first NUL; `len` counts them, too.")
            let long = String(repeating: "long-", count: 40)
            // Several events in one read: no two of them are equally long.
            try room.whileStopped { () throws(CheckFailure) in
                try room.create(long)
                room.delete("first")
                try room.create("a")
                try room.create("sixteen-letters-")
                room.delete(long)
            }
            for line in [
                "created \(long)", "deleted first", "created a", "created sixteen-letters-",
                "deleted \(long)",
            ] {
                try client.expect(line)
            }
        }
    }

    func testTellsAnOverflow() throws {
        try check { run throws(CheckFailure) in
            let path = "/proc/sys/fs/inotify/max_queued_events"
            let text = readFile(path)?.filter(\.isNumber) ?? ""
            guard let limit = Int(text), limit <= 1 << 16 else {
                throw .notVerified("\(path) is \(text), too many events to cause here.")
            }
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.whileStopped { () throws(CheckFailure) in
                let count = limit / 2 + 100
                run.transcript.add("\(counted(count, "file")) are created and deleted in the inbox")
                for _ in 1...count {
                    try room.create("x", quietly: true)
                    room.delete("x", quietly: true)
                }
            }
            run.transcript.add("\(client.tcp.name) waits for the line \"inbox overflow\"")
            var line = ""
            while line != "inbox overflow" {
                line = try client.line("the line \"inbox overflow\", after \(limit) others")
                guard ["created x", "deleted x", "inbox overflow"].contains(line) else {
                    throw CheckFailure(
                        expected: "lines about the file x, then the line \"inbox overflow\"",
                        found: "the line \(escaped(Array(line.utf8)))")
                }
            }
            try room.create("after")
            try client.expect("created after")
        }
    }

    func testSurvivesTheEndOfTheInbox() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            room.removeInbox()
            try client.expect("inbox gone")
            try room.requireParked()
            try client.send("add 1")
            try client.expect("counter 1")
        }
    }

    // MARK: The FIFO

    func testTellsLinesOfTheFifo() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            _ = try room.join()
            let writer = try room.openFifo()
            try room.write("one\ntwo\nthr", into: writer)
            try room.expect("fifo one")
            try room.expect("fifo two")
            try room.server.waitUntilParked()
            try room.write("ee\n", into: writer)
            try room.expect("fifo three")
            room.leaveFifo(writer)
        }
    }

    func testWritersOfTheFifoComeAndGo() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            for number in 1...3 {
                try room.requireParked()
                let writer = try room.openFifo()
                try room.write("line \(number)\n", into: writer)
                try client.expect("fifo line \(number)")
                room.leaveFifo(writer)
            }
            try room.requireParked()
            // Its bytes and its end are there together.
            try room.whileStopped { () throws(CheckFailure) in
                let writer = try room.openFifo()
                try room.write("last line\n", into: writer)
                room.leaveFifo(writer)
            }
            try client.expect(
                "fifo last line",
                cause: "EPOLLHUP came together with EPOLLIN: what was written must be read first.")
            try room.requireParked()
        }
    }

    // MARK: The queue

    func testDrainsTheQueue() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.post("hello", priority: 2)
            try client.expect("queue hello priority 2")
            let long = String(repeating: "m", count: 256)
            try room.whileStopped { () throws(CheckFailure) in
                try room.post("low", priority: 1)
                try room.post(long, priority: 30)
                for number in 1...8 { try room.post("\(number)", priority: 7) }
            }
            try client.expect("queue \(long) priority 30")
            for number in 1...8 { try client.expect("queue \(number) priority 7") }
            try client.expect("queue low priority 1")
            try room.requireParked()
        }
    }

    // MARK: All of them

    func testTellsAllSourcesAtOnce() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let client = try room.join()
            let writer = try room.openFifo()
            try room.whileStopped { () throws(CheckFailure) in
                try room.post("news", priority: 1)
                room.signal(SIGUSR2, "SIGUSR2")
                try room.create("file")
                try room.write("text\n", into: writer)
                try client.send("add 3")
            }
            try client.expect(inAnyOrder: [
                "queue news priority 1", "signal SIGUSR2 from \(getpid())", "created file",
                "fifo text", "counter 3",
            ])
            room.leaveFifo(writer)
        }
    }

    func testWatchesEverySource() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            _ = try room.join()
            let proc = room.server.proc
            guard let epoll = proc.epollDescriptors().first, proc.epollDescriptors().count == 1,
                let watched = proc.interestList(of: epoll)
            else {
                throw CheckFailure(
                    expected: "one epoll descriptor",
                    found: "\(proc.epollDescriptors().count) of them")
            }
            let descriptors = proc.descriptors()
            for (target, name) in room.sourceNames {
                guard watched.contains(where: { descriptors[$0.descriptor] == target }) else {
                    let isOpen = descriptors.values.contains(target)
                    throw CheckFailure(
                        expected: "the \(name) in the interest list of the epoll descriptor",
                        found: isOpen ? "it is open, and not in the list" : "there is none")
                }
            }
        }
    }

    func testWaitsInEpollWait() throws {
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            try room.requireParked()
            let client = try room.join()
            try room.requireParked()
            try client.send("every 1")
            _ = try client.expirations()
            try client.send("every 0", "add 1")
            try client.timerLines(until: "counter 1")
            try room.requireParked()
            try room.useEachSource(client)
            try room.requireParked()
        }
    }

    // MARK: The clients

    func testTakesCommandsInPieces() throws {
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
            let room = try ControlRoom(run)
            let witness = try room.join()
            try room.requireParked()
            let before = room.server.proc.descriptors().count
            run.transcript.add("300 clients come and go; every third breaks off with a reset")
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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
                    throw .machine("The kernel has taken 24 MiB for a client that reads nothing.")
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
        try check { run throws(CheckFailure) in
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
        try check { run throws(CheckFailure) in
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

    // MARK: Traced

    func testUsesTheCallsOfTheModel() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            try room.server.waitUntilParked()
            let client = try room.join()
            let start = Deadline.nanoseconds()
            for _ in 1...3 { try room.useEachSource(client) }
            // What each source gives has a length of its own, so no copies are counted.
            try requireModel(trace, since: start, doing: "12 events", requests: 12, bytes: 0)
            let asked = trace.calls(SYS_epoll_ctl)
            guard asked.contains(where: { $0.result == -Int(EPERM) }) else {
                throw CheckFailure(
                    expected: "an epoll_ctl that tries to add notes.txt, and fails with EPERM",
                    found: "\(counted(asked.count, "call")) of epoll_ctl, none of them failed so")
            }
            let changes = asked.filter { $0.start >= start }.count
            guard changes <= 2 else {
                throw CheckFailure(
                    expected: "an interest list that stays as it is while 12 events are told",
                    found: "\(counted(changes, "call")) of epoll_ctl",
                    cause: "The list lives in the kernel: what is in it is watched until it is "
                        + "closed. Ask for EPOLLOUT only while bytes are unsent.")
            }
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            let client = try room.join()
            try room.server.waitUntilParked()
            trace.inject(.fail(EINTR), at: 1, of: SystemCall.writing, from: 3)
            try run.despiteTheFault("its next write will be interrupted by a signal (EINTR)") {
                () throws(CheckFailure) in
                try room.create("first")
                try client.expect("created first")
            }
            let reading = SystemCall.reading.union([SYS_mq_timedreceive])
            for kind in [reading, SystemCall.accepting] {
                for nth in [1, 4, 7, 10] { trace.inject(.fail(EINTR), at: nth, of: kind, from: 3) }
            }
            trace.inject(.fail(EINTR), at: 2, of: SystemCall.waitingInEpoll)
            let fault = "its 1st, 4th, 7th and 10th read, its accept and an epoll_wait will be, too"
            try run.despiteTheFault(fault) { () throws(CheckFailure) in
                try room.useEachSource(client)
                try client.send("every 10")
                _ = try client.expirations()
                try client.send("every 0", "add 1")
                try client.timerLines(until: "counter 1")
                _ = try room.join()
                try room.useEachSource(client)
            }
        }
    }

    func testGoesOnAfterAShortWrite() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            try room.server.waitUntilParked()
            trace.inject(.shorten(to: 3), at: nil, of: [SYS_write, SYS_sendto], from: 3)
            try run.despiteTheFault("each of its writes will take three bytes at most") {
                () throws(CheckFailure) in
                _ = try room.join()
                try room.create("file")
                try room.expect("created file")
            }
        }
    }
}
