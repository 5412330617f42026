import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class BlockingUdpHiddenTests: ExerciseChecks {
    override class var exercise: String { "blocking-udp" }

    func testEchoesAnEmptyDatagram() throws {
        try check { run in
            let sender = try run.sender(to: run.startServer(.udp))
            try sender.send([])
            try sender.receive([])
            let line = run.random.line(8)
            try sender.send(line)
            try sender.receive(line)
        }
    }

    func testEchoesEverySize() throws {
        try check { run in
            let sender = try run.sender(to: run.startServer(.udp))
            // 1,472 fills an Ethernet frame; 65,507 is the most that IPv4 carries.
            for size in [1, 1472, 65_507, 1] {
                let payload = run.random.bytes(size)
                try sender.send(payload)
                try sender.receive(payload)
            }
        }
    }

    func testAnswersTheRightSender() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let senders = [
                try run.sender(to: server), try run.sender(to: server), try run.sender(to: server),
            ]
            for _ in 1...2 {
                var lines: [[UInt8]] = []
                for sender in senders {
                    lines.append(run.random.line(8))
                    try sender.send(lines[lines.count - 1])
                }
                for (sender, line) in zip(senders, lines).reversed() { try sender.receive(line) }
            }
        }
    }

    func testEchoesABurst() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            // The server is stopped meanwhile, so all 200 are in its queue before it sees the
            // first.
            run.transcript.add("the server is stopped (SIGSTOP)")
            try server.send(SIGSTOP)
            run.transcript.add("\(sender.name) sends 200 datagrams of 9 bytes")
            var lines: [[UInt8]] = []
            for _ in 1...200 {
                lines.append(run.random.line(8))
                try sender.send(lines[lines.count - 1], quietly: true)
            }
            run.transcript.add("the server goes on (SIGCONT), and \(sender.name) waits for all 200")
            try server.send(SIGCONT)
            for (number, line) in lines.enumerated() {
                try sender.receive(line, quietly: true)
                if number == 199 { run.transcript.add("all 200 came back") }
            }
        }
    }

    func testWaitsInRecvfrom() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            for _ in 1...2 {
                let calls = try server.requireParked(
                    in: SystemCall.reading.union(SystemCall.readingMany), words: "recvfrom")
                let socket = try server.socketDescriptor(SocketTable.udp(port: server.port))
                guard calls.count == 1, calls[0].descriptor == socket else {
                    throw CheckFailure(
                        expected: "one thread in recvfrom on the UDP socket, descriptor \(socket)",
                        found: server.activity)
                }
                let line = run.random.line(8)
                try sender.send(line)
                try sender.receive(line)
            }
        }
    }

    func testSleepsUntilADatagramComes() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let sender = try run.sender(to: server)
            let line = run.random.line(8)
            try sender.send(line)
            try sender.receive(line)
            run.transcript.add("nothing is sent")
            try server.waitUntilParked()
            let socket = try server.socketDescriptor(SocketTable.udp(port: server.port))
            try server.withCopy(of: socket) { copy throws(CheckFailure) in
                var limit = timeval()
                var size = socklen_t(MemoryLayout<timeval>.size)
                getsockopt(copy, SOL_SOCKET, SO_RCVTIMEO, &limit, &size)
                guard limit.tv_sec == 0, limit.tv_usec == 0 else {
                    let milliseconds = limit.tv_sec * 1000 + Int(limit.tv_usec) / 1000
                    throw CheckFailure(
                        expected: "a recvfrom that waits for as long as it takes",
                        found: "a socket whose receive time limit (SO_RCVTIMEO) is "
                            + "\(milliseconds) ms, so that the server wakes for nothing")
                }
            }
        }
    }

    func testSurvivesASenderThatIsGone() throws {
        try check { run in
            let server = try run.startServer(.udp)
            let other = try run.sender(to: server)
            for _ in 1...3 {
                // Stopped, so that the sender is surely gone before its datagram is answered.
                try server.waitUntilParked()
                try server.send(SIGSTOP)
                let leaver = try run.sender(to: server)
                try leaver.send(run.random.line(8))
                leaver.close()
                try server.send(SIGCONT)
                let line = run.random.line(8)
                try other.send(line)
                try other.receive(line)
            }
        }
    }

    // MARK: Traced

    func testUsesTheCallsOfTheModel() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(.udp, trace: trace)
            let sender = try run.sender(to: server)
            try server.waitUntilParked()
            let start = Deadline.nanoseconds()
            for _ in 1...2 {
                // Each datagram comes late: the server has to wait for it.
                try server.waitUntilParked()
                let line = run.random.line(8)
                try sender.send(line)
                try sender.receive(line)
            }
            try server.waitUntilParked()
            try requireModel(trace, since: start, doing: "two datagrams", requests: 2, bytes: 18)
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(.udp, trace: trace)
            try server.waitUntilParked()
            try run.interruptDatagrams(server, trace)
        }
    }

    func testGoesOnAfterAReplyThatFails() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let server = try run.startServer(.udp, trace: trace)
            let sender = try run.sender(to: server)
            try server.waitUntilParked()
            trace.inject(.fail(ENOBUFS), at: 1, of: [SYS_sendto, SYS_sendmsg, SYS_sendmmsg])
            try run.despiteTheFault("its next reply will fail: no memory for it (ENOBUFS)") {
                () throws(CheckFailure) in
                try sender.send(run.random.line(8))
                try server.waitUntilParked()
                let line = run.random.line(8)
                try sender.send(line)
                try sender.receive(line)
            }
        }
    }
}
