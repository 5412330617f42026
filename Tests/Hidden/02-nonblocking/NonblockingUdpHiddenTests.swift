import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class NonblockingUdpHiddenTests: ExerciseChecks {
    override class var exercise: String { "nonblocking-udp" }

    // MARK: Datagrams

    func testEchoesAnEmptyDatagram() throws { try echo { try $0.echoesAnEmptyDatagram() } }
    func testEchoesEverySize() throws { try echo { try $0.echoesEverySize() } }
    func testAnswersTheRightSender() throws { try echo { try $0.answersTheRightSender() } }
    func testEchoesABurst() throws { try echo { try $0.echoesABurst() } }
    func testSurvivesASenderThatIsGone() throws { try echo { try $0.survivesASenderThatIsGone() } }
    func testGoesOnAfterAnInterruption() throws {
        try echo { try $0.datagramsSurviveAnInterruption() }
    }
    func testGoesOnAfterAReplyThatFails() throws {
        try echo { try $0.goesOnAfterAReplyThatFails() }
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
}
