import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class NonblockingUdpHiddenTests: ExerciseChecks {
    override class var exercise: String { "nonblocking-udp" }

    // MARK: Datagrams

    func testEchoesAnEmptyDatagram() throws {
        try check { run in
            let sender = try run.sender(to: run.startServer(.udp))
            try sender.send([])
            try sender.receive([])
            let line = run.random.line(8)
            try sender.send(line)
            try sender.receive(line)
        }
    }

    func testEchoesEverySize() throws {
        try check { run in
            let sender = try run.sender(to: run.startServer(.udp))
            // 1,472 fills an Ethernet frame; 65,507 is the most that IPv4 carries.
            for size in [1, 1472, 65_507, 1] {
                let payload = run.random.bytes(size)
                try sender.send(payload)
                try sender.receive(payload)
            }
        }
    }

    func testEchoesWhatOnlyLooksLikeTheQuestion() throws {
        try check { run in
            let sender = try run.sender(to: run.startServer(.udp))
            for text in ["ticks\n", "tick", "ticks?", "Ticks", "tocks", " ticks"] {
                try sender.send(Array(text.utf8))
                try sender.receive(Array(text.utf8))
            }
            _ = try sender.askForTicks()
        }
    }

    func testAnswersTheRightSender() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let senders = [
                try run.sender(to: server), try run.sender(to: server), try run.sender(to: server),
            ]
            for _ in 1...2 {
                var lines: [[UInt8]] = []
                for sender in senders {
                    lines.append(run.random.line(8))
                    try sender.send(lines[lines.count - 1])
                }
                for (sender, line) in zip(senders, lines).reversed() { try sender.receive(line) }
            }
        }
    }

    func testEchoesABurst() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            // The server is stopped meanwhile, so all 200 are in its queue before it sees the
            // first.
            run.transcript.add("the server is stopped (SIGSTOP)")
            try server.send(SIGSTOP)
            run.transcript.add("\(sender.name) sends 200 datagrams of 9 bytes")
            var lines: [[UInt8]] = []
            for _ in 1...200 {
                lines.append(run.random.line(8))
                try sender.send(lines[lines.count - 1], quietly: true)
            }
            run.transcript.add("the server goes on (SIGCONT), and \(sender.name) waits for all 200")
            try server.send(SIGCONT)
            for line in lines { try sender.receive(line, quietly: true) }
        }
    }

    func testSurvivesASenderThatIsGone() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let other = try run.sender(to: server)
            for _ in 1...3 {
                // Stopped, so that the sender is surely gone before its datagram is answered.
                try server.send(SIGSTOP)
                let leaver = try run.sender(to: server)
                try leaver.send(run.random.line(8))
                leaver.close()
                try server.send(SIGCONT)
                let line = run.random.line(8)
                try other.send(line)
                try other.receive(line)
                try server.runOn("after the sender is gone", milliseconds: 1)
            }
        }
    }

    // MARK: The work

    func testWorksOnceForEachRefusal() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(.udp, trace: trace)
            let sender = try run.sender(to: server)
            let receiving = SystemCall.reading.union(SystemCall.readingMany)
            var answers: [(ticks: Int, at: UInt64)] = []
            for _ in 1...2 {
                try run.awaitRefusals(
                    200, of: receiving, words: "recvfrom", server, trace,
                    since: Deadline.nanoseconds())
                let ticks = try sender.askForTicks()
                let received = trace.events.last {
                    receiving.contains($0.number) && ($0.result ?? -1) > 0
                }
                answers.append((ticks, received?.start ?? 0))
            }
            let ticks = answers[1].ticks - answers[0].ticks
            let refusals = run.refusals(
                trace, of: receiving, since: answers[0].at, until: answers[1].at)
            guard ticks > refusals / 2, ticks < refusals * 2 else {
                throw CheckFailure(
                    expected: "a tick for each time that nothing was there: "
                        + counted(refusals, "tick"),
                    found: counted(ticks, "tick"),
                    cause: ticks < refusals
                        ? "The time is spent asking, and the work does not get on: one tick "
                            + "for each EAGAIN."
                        : "A datagram that comes meanwhile waits until all this work is done: "
                            + "ask again after each tick.")
            }
        }
    }

    func testAnswersBeforeItWorks() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            // Stopped, so that both questions are there when it asks.
            try server.send(SIGSTOP)
            try sender.send(UDPClient.question)
            try sender.send(UDPClient.question)
            try server.send(SIGCONT)
            let first = try sender.receiveTicks()
            let second = try sender.receiveTicks()
            guard second == first else {
                throw CheckFailure(
                    expected: "the same number twice, as the two questions came together",
                    found: "\(first) and \(second)",
                    cause: "It works while a datagram is waiting for it: work only after EAGAIN.")
            }
        }
    }

    // MARK: The model

    func testNeverRests() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            for _ in 1...2 {
                try server.requireNoRest("while nothing comes")
                let line = run.random.line(8)
                try sender.send(line)
                try sender.receive(line)
            }
        }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(.udp, trace: trace)
            let sender = try run.sender(to: server)
            let receiving = SystemCall.reading.union(SystemCall.readingMany)
            // Before this it may still be announcing itself.
            try run.awaitRefusals(
                1, of: receiving, words: "recvfrom", server, trace, since: 0)
            let start = Deadline.nanoseconds()
            for _ in 1...2 {
                try run.awaitRefusals(
                    5, of: receiving, words: "recvfrom", server, trace,
                    since: Deadline.nanoseconds())
                let line = run.random.line(8)
                try sender.send(line)
                try sender.receive(line)
            }
            try requireModel(trace, since: start, doing: "two datagrams", requests: 2, bytes: 18)
            try run.requireNoWait(trace, since: start)
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(.udp, trace: trace)
            try run.interruptDatagrams(server, trace)
        }
    }

    func testGoesOnAfterAReplyThatFails() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(.udp, trace: trace)
            let sender = try run.sender(to: server)
            let receiving = SystemCall.reading.union(SystemCall.readingMany)
            trace.inject(.fail(EAGAIN), at: 1, of: [SYS_sendto, SYS_sendmsg, SYS_sendmmsg])
            try run.despiteTheFault("its next reply will find no room in the socket (EAGAIN)") {
                () throws(CheckFailure) in
                let first = run.random.line(8)
                try sender.send(first)
                let sent = Deadline.nanoseconds()
                try run.awaitRefusals(
                    5, of: receiving, words: "recvfrom", server, trace, since: sent)
                // The reply may be lost, or be tried again. A second one gets through.
                let second = run.random.line(8)
                try sender.send(second)
                let reply = try sender.receiveAny("a reply")
                if reply == first {
                    try sender.receive(second)
                } else if reply != second {
                    throw CheckFailure(
                        expected: "the second datagram: \(escaped(second))",
                        found: escaped(reply))
                }
            }
        }
    }
}
