import Checks
import Harness
import Scenes

final class NonblockingTcpTests: ExerciseChecks {
    override class var exercise: String { "nonblocking-tcp" }

    func testEchoesALine() throws {
        try check { run in
            let server = try run.startServer()
            let client = try run.connect(server)
            try server.runOn("while its client is silent")
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
            let speaker = try run.connect(server)
            try server.runOn("while both are silent")
            // The second client first: a server that serves them in turn cannot pass by luck.
            for client in [speaker, silent, speaker] {
                let line = run.random.line(8)
                try client.send(line)
                try client.receive(line)
            }
        }
    }
}
