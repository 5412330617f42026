import Checks
import Harness
import Scenes

final class PollEchoTests: ExerciseChecks {
    override class var exercise: String { "poll-echo" }

    func testEchoesALine() throws {
        try check { run in
            let client = try run.connect(run.startServer())
            for length in [5, 20] {
                let line = run.random.line(length)
                try client.send(line)
                try client.receive(line)
            }
        }
    }

    func testServesTwoClientsAtOnce() throws {
        try check { run in
            let server = try run.startServer()
            let silent = try run.connect(server)
            let other = try run.connect(server)
            for _ in 1...3 { try run.exchangeALine(with: other) }
            run.transcript.add("now \(silent.name) speaks, too")
            try run.exchangeALine(with: silent)
        }
    }

    func testWaitsInPoll() throws {
        try check { run in
            let server = try run.startServer()
            run.transcript.add("nobody connects")
            try server.requireParked(in: SystemCall.inPoll, words: "poll")
            let clients = [try run.connect(server), try run.connect(server)]
            for client in clients { try run.exchangeALine(with: client) }
            run.transcript.add("both clients are silent")
            try server.requireParked(in: SystemCall.inPoll, words: "poll")
        }
    }
}
