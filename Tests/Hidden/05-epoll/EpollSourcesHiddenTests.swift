import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class EpollSourcesHiddenTests: ExerciseChecks {
    override class var exercise: String { "epoll-sources" }

    // MARK: The timer

    func testCountsMissedExpirations() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            try client.send("every 10")
            _ = try client.expirations()
            try room.whileStopped { () throws(CheckFailure) in
                try room.waitForTicks(5, period: 10)
            }
            // What it had told before it was stopped comes first; the counter comes last.
            try client.send("add 1")
            let told = try client.timerLines(until: "counter 1")
            guard told.contains(where: { $0 >= 5 }) else {
                throw CheckFailure(
                    expected: "one line with the number of all expirations, at least \"timer 5\"",
                    found: "the lines \(told.suffix(10).map { "timer \($0)" })",
                    cause: "The 8 bytes that read gives are that number.")
            }
        }
    }

    func testADisarmedTimerHoldsNobody() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            // The command is ready first, the timer second: epoll tells of both at once. If the timer
            // was the first, that shows nothing, and is done again.
            var isFirst = false
            while !isFirst {
                try client.send("every 50")
                try room.whileStopped { () throws(CheckFailure) in
                    try client.send("every 0")
                    isFirst = room.unreadTicks == 0
                    try room.waitForTicks(1, period: 50)
                }
            }
            try client.send("add 1")
            try client.timerLines(until: "counter 1")
        }
    }

    // MARK: Signals

    func testTellsMergedSignals() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.whileStopped { () throws(CheckFailure) in
                room.signal(SIGUSR1, "SIGUSR1", times: 5)
                room.signal(SIGUSR2, "SIGUSR2")
                room.signal(SIGRTMIN(), "SIGRTMIN", times: 20)
            }
            let names = ["SIGUSR1", "SIGUSR2"] + Array(repeating: "SIGRTMIN", count: 20)
            try client.expect(inAnyOrder: names.map { "signal \($0) from \(getpid())" })
            try client.send("add 1")
            try client.expect("counter 1")
        }
    }

    // MARK: The counter

    func testAddsUpTheCounter() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            _ = try room.join()
            try client.send("add 5")
            try room.expect("counter 5")
            try client.send("add 300")
            try room.expect("counter 300")
            try client.send("add 2", "add 3", "add 4")
            var sum = 0
            while sum < 9 {
                let line = try client.line("lines of the counter with the sum 9")
                guard line.hasPrefix("counter "), let count = Int(line.dropFirst(8)), count > 0,
                    sum + count <= 9
                else {
                    throw CheckFailure(
                        expected: "lines like \"counter 5\", with the sum 9",
                        found: "the line \(escaped(Array(line.utf8))), after a sum of \(sum)")
                }
                sum += count
            }
        }
    }

    func testAFullCounterHoldsNobody() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            let most = UInt64.max - 1
            // Who reads the counter between the two commands has room for the second one.
            try client.send("add \(most)", "add 1")
            let wanted = ["counter \(most)", "full", "counter 1"]
            var left = Set(wanted)
            for _ in 1...2 {
                let line = try client.line("the line \"counter \(most)\" or \"full\"")
                guard left.remove(line) != nil else {
                    throw CheckFailure(
                        expected: "the lines \"counter \(most)\" and \"full\"",
                        found: "the line \(escaped(Array(line.utf8), limit: 60))")
                }
            }
            try client.send("add 7")
            try client.expect("counter 7")
        }
    }

    // MARK: The inbox

    func testTellsTheInbox() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.create("first")
            try client.expect(
                "created first", cause: "The name ends at its first NUL; `len` counts them, too.")
            let long = String(repeating: "long-", count: 40)
            // Several events in one read: no two of them are equally long.
            try room.whileStopped { () throws(CheckFailure) in
                try room.create(long)
                room.delete("first")
                try room.create("a")
                try room.create("sixteen-letters-")
                room.delete(long)
            }
            for line in [
                "created \(long)", "deleted first", "created a", "created sixteen-letters-",
                "deleted \(long)",
            ] {
                try client.expect(line)
            }
        }
    }

    func testTellsAnOverflow() throws {
        try check { run in
            let path = "/proc/sys/fs/inotify/max_queued_events"
            let text = readFile(path)?.filter(\.isNumber) ?? ""
            guard let limit = Int(text), limit <= 1 << 16 else {
                throw CheckFailure.notVerified("\(path) is \(text), too many events to cause here.")
            }
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.whileStopped { () throws(CheckFailure) in
                let count = limit / 2 + 100
                run.transcript.add("\(counted(count, "file")) are created and deleted in the inbox")
                for _ in 1...count {
                    try room.create("x", quietly: true)
                    room.delete("x", quietly: true)
                }
            }
            run.transcript.add("\(client.tcp.name) waits for the line \"inbox overflow\"")
            var line = ""
            while line != "inbox overflow" {
                line = try client.line("the line \"inbox overflow\", after \(limit) others")
                guard ["created x", "deleted x", "inbox overflow"].contains(line) else {
                    throw CheckFailure(
                        expected: "lines about the file x, then the line \"inbox overflow\"",
                        found: "the line \(escaped(Array(line.utf8)))")
                }
            }
            try room.create("after")
            try client.expect("created after")
        }
    }

    func testSurvivesTheEndOfTheInbox() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            room.removeInbox()
            try client.expect("inbox gone")
            try room.requireParked()
            try client.send("add 1")
            try client.expect("counter 1")
        }
    }

    // MARK: The FIFO

    func testTellsLinesOfTheFifo() throws {
        try check { run in
            let room = try ControlRoom(run)
            _ = try room.join()
            let writer = try room.openFifo()
            try room.write("one\ntwo\nthr", into: writer)
            try room.expect("fifo one")
            try room.expect("fifo two")
            try room.server.waitUntilParked()
            try room.write("ee\n", into: writer)
            try room.expect("fifo three")
            room.leaveFifo(writer)
        }
    }

    func testWritersOfTheFifoComeAndGo() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            for number in 1...3 {
                try room.requireParked()
                let writer = try room.openFifo()
                try room.write("line \(number)\n", into: writer)
                try client.expect("fifo line \(number)")
                room.leaveFifo(writer)
            }
            try room.requireParked()
            // Its bytes and its end are there together.
            try room.whileStopped { () throws(CheckFailure) in
                let writer = try room.openFifo()
                try room.write("last line\n", into: writer)
                room.leaveFifo(writer)
            }
            try client.expect(
                "fifo last line",
                cause: "EPOLLHUP came together with EPOLLIN: what was written must be read first.")
            try room.requireParked()
        }
    }

    // MARK: The queue

    func testDrainsTheQueue() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            try room.post("hello", priority: 2)
            try client.expect("queue hello priority 2")
            let long = String(repeating: "m", count: 256)
            try room.whileStopped { () throws(CheckFailure) in
                try room.post("low", priority: 1)
                try room.post(long, priority: 30)
                for number in 1...8 { try room.post("\(number)", priority: 7) }
            }
            try client.expect("queue \(long) priority 30")
            for number in 1...8 { try client.expect("queue \(number) priority 7") }
            try client.expect("queue low priority 1")
            try room.requireParked()
        }
    }
}
