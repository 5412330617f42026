import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// Room and turns: what one client may take, and what the others get meanwhile.
extension EpollEdgeHiddenTests {
    func testRemembersWhatCameMeanwhile() throws {
        try echo { echo in
            let slow = try echo.slowReader(echo.start())
            echo.run.transcript.add("now it reads, and sends no more")
            try slow.client.receive(slow.bytes)
        }
    }

    func testOneClientDoesNotStarveFifty() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let greedy = try run.connect(server)
            let many = run.random.bytes(2 << 20)
            try greedy.send(many)
            try greedy.receive(many)
            let others = try run.connect(server, count: 50)
            for client in others { try run.exchangeALine(with: client) }
            try server.waitUntilParked()
            let accepted = trace.events.filter { SystemCall.accepting.contains($0.number) }
                .compactMap(\.result).filter { $0 >= 0 }.map { CInt($0) }
            trace.hold(at: 1, of: SystemCall.reading, from: 3)
            run.transcript.add("\(greedy.name) sends as much as goes, and reads nothing")
            while try greedy.sendWhatFits(many) > 0 {}
            _ = try trace.awaitHold(server)
            while try greedy.sendWhatFits(many) > 0 {}
            let start = Deadline.nanoseconds()
            run.transcript.add("the server is kept before its read; each of the 50 sends a line")
            let lines = others.map { _ in run.random.line(8) }
            for (client, line) in zip(others, lines) { try client.send(line) }
            trace.release()
            for (client, line) in zip(others, lines) { try client.receive(line) }
            try requireTurns(trace, since: start, greedy: accepted[0], others: Set(accepted[1...]))
        }
    }

    /// Requires that little was read of one client at a time while others waited for their turn.
    private func requireTurns(
        _ trace: SyscallTrace, since start: UInt64, greedy: CInt, others: Set<CInt>
    ) throws(CheckFailure) {
        var waiting = others
        var count = 0
        for event in trace.events where (event.end ?? .max) >= start && event.kind == .call {
            guard SystemCall.reading.contains(event.number) else { continue }
            if event.call.descriptor == greedy { count += max(0, event.result ?? 0) }
            guard count <= 1 << 20 else {
                throw CheckFailure(
                    expected: "turns for the others after at most 1 MiB of the one that sends much",
                    found: "more was read of it at a time while \(waiting.count) others waited",
                    cause: "Read at most bytesPerTurn bytes of a client. Then look for new events, "
                        + "without waiting, give the others a turn, and go on with it.")
            }
            if waiting.remove(event.call.descriptor) != nil { count = 0 }
            if waiting.isEmpty { return }
        }
    }
}
