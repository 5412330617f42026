import Checks
import Glibc
import Harness
import Scenes

final class EpollSourcesTests: ExerciseChecks {
    override class var exercise: String { "epoll-sources" }

    func testTellsHowManyAreThere() throws {
        try check { run in
            let room = try ControlRoom(run)
            let first = try room.join()
            let second = try room.join()
            room.forget(first)
            first.tcp.close()
            try second.expect("clients 1")
            _ = try room.join()
        }
    }

    func testTellsTheTimer() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            let start = Deadline.nanoseconds()
            try client.send("every 10")
            var ticks = 0
            while ticks < 8 { ticks += try client.expirations() }
            let passed = Int((Deadline.nanoseconds() - start) / 1_000_000)
            guard ticks * 10 <= passed + 10 else {
                throw CheckFailure(
                    expected: "at most \(passed / 10 + 1) expirations in \(passed) ms",
                    found: "\(ticks) of them")
            }
            try client.send("every 0", "add 1")
            try client.timerLines(until: "counter 1")
            try room.server.waitUntilParked()
        }
    }

    func testTellsASignal() throws {
        try check { run in
            let room = try ControlRoom(run)
            _ = try room.join()
            _ = try room.join()
            room.signal(SIGUSR1, "SIGUSR1")
            try room.expect("signal SIGUSR1 from \(getpid())")
            room.signal(SIGUSR2, "SIGUSR2")
            try room.expect("signal SIGUSR2 from \(getpid())")
        }
    }
}
