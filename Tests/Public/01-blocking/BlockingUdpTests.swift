import Checks
import Harness
import Scenes

final class BlockingUdpTests: ExerciseChecks {
    override class var exercise: String { "blocking-udp" }

    func testEchoesADatagram() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            for length in [5, 20] {
                let line = run.random.line(length)
                try sender.send(line)
                try sender.receive(line)
            }
        }
    }
}
