import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

final class BlockingUdpHiddenTests: ExerciseChecks {
    override class var exercise: String { "blocking-udp" }

    // MARK: Datagrams

    func testEchoesAnEmptyDatagram() throws { try echo { try $0.echoesAnEmptyDatagram() } }
    func testEchoesEverySize() throws { try echo { try $0.echoesEverySize() } }
    func testAnswersTheRightSender() throws { try echo { try $0.answersTheRightSender() } }
    func testEchoesABurst() throws { try echo { try $0.echoesABurst() } }
    func testSurvivesASenderThatIsGone() throws { try echo { try $0.survivesASenderThatIsGone() } }
    func testGoesOnAfterAnInterruption() throws {
        try echo { try $0.datagramsSurviveAnInterruption() }
    }
    func testGoesOnAfterAReplyThatFails() throws {
        try echo { try $0.goesOnAfterAReplyThatFails() }
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
}
