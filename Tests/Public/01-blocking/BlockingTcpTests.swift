import Checks
import Harness
import Scenes

final class BlockingTcpTests: ExerciseChecks {
    override class var exercise: String { "blocking-tcp" }

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

    func testServesOneClientAfterTheOther() throws {
        try check { run in
            let server = try run.startServer()
            for _ in 1...3 {
                let client = try run.connect(server)
                let line = run.random.line(8)
                try client.send(line)
                try client.receive(line)
                client.close()
            }
        }
    }
}
