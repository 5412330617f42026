import Checks
import Harness
import Scenes

final class PselectDrainTests: ExerciseChecks {
    override class var exercise: String { "pselect-drain" }

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
            for client in [speaker, silent, speaker] {
                let line = run.random.line(8)
                try client.send(line)
                try client.receive(line)
            }
        }
    }

    func testEndsWhenItIsTold() throws {
        try check { run in
            let server = try run.startServer()
            let client = try run.connect(server)
            let line = run.random.line(8)
            try client.send(line)
            try client.receive(line)
            try server.waitUntilParked()
            run.transcript.add("client 1 is silent, and the server waits")
            try server.beToldToEnd(run)
            try server.waitForItsEnd()
            try client.receiveEnd()
        }
    }
}
