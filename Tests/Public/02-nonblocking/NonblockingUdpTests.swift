import Checks
import Harness
import Scenes

final class NonblockingUdpTests: ExerciseChecks {
    override class var exercise: String { "nonblocking-udp" }

    func testEchoesADatagram() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            for length in [5, 20] {
                // It has asked in vain before the datagram comes, or waits for it.
                var idleness = Idleness()
                let time = server.proc.cpuNanoseconds
                try server.wait(for: "the server to ask for a datagram") {
                    idleness.continues(in: server)
                        || server.proc.cpuNanoseconds - time > 1_000_000
                }
                let line = run.random.line(length)
                try sender.send(line)
                try sender.receive(line)
            }
        }
    }

    func testWorksWhileNothingComes() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            let first = try sender.askForTicks()
            run.transcript.add("nothing is sent, and the server runs on")
            try server.runOn("while nothing comes")
            let second = try sender.askForTicks()
            guard second > first else {
                throw CheckFailure(
                    expected: "more than \(counted(first, "tick")) by now",
                    found: counted(second, "tick"))
            }
        }
    }
}
