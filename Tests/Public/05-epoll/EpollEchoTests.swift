import Checks
import Harness
import Scenes

final class EpollEchoTests: ExerciseChecks {
    override class var exercise: String { "epoll-echo" }

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
            let speaker = try run.connect(server)
            for client in [speaker, silent, speaker] { try run.exchangeALine(with: client) }
        }
    }

    func testServesTheOthersWhenOneLeaves() throws {
        try check { run in
            let server = try run.startServer()
            let leaver = try run.connect(server)
            let other = try run.connect(server)
            try run.exchangeALine(with: leaver)
            try run.exchangeALine(with: other)
            leaver.close()
            try run.exchangeALine(with: other)
            try run.exchangeALine(with: run.connect(server))
        }
    }
}
