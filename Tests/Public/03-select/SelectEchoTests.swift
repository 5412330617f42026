import Checks
import Harness
import Scenes

final class SelectEchoTests: ExerciseChecks {
    override class var exercise: String { "select-echo" }

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

    func testEchoesADatagram() throws {
        try check { run in
            let sender = try run.sender(to: run.startServer())
            for length in [5, 20] {
                let line = run.random.line(length)
                try sender.send(line)
                try sender.receive(line)
            }
        }
    }

    func testServesTwoClientsAtOnce() throws {
        try check { run in
            let server = try run.startServer()
            let silent = try run.connect(server)
            let speaker = try run.connect(server)
            // The second client first: a server that serves them in turn cannot pass by luck.
            for client in [speaker, silent, speaker] {
                let line = run.random.line(8)
                try client.send(line)
                try client.receive(line)
            }
        }
    }
}
