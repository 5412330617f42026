import Checks
import CLinux
import Glibc
import Harness
import Scenes

final class EpollEdgeTests: ExerciseChecks {
    override class var exercise: String { "epoll-edge" }

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
            // The second client first: a server that serves them in turn cannot pass by luck.
            for client in [speaker, silent, speaker] { try run.exchangeALine(with: client) }
        }
    }

    func testWatchesForEdges() throws {
        try check { run in
            let server = try run.startServer()
            let clients = try run.connect(server, count: 3)
            for client in clients { try run.exchangeALine(with: client) }
            let list = try server.interestList()
            run.transcript.add("/proc/PID/fdinfo is asked what the epoll instance watches")
            let listener = try server.socketDescriptor(SocketTable.listener(port: server.port))
            try require(list, listener, "the listener", EPOLLIN.rawValue)
            for client in clients {
                let both = EPOLLIN.rawValue | EPOLLOUT.rawValue
                try require(
                    list, server.descriptor(of: client), "the connection of \(client.name)", both)
            }
        }
    }

    private func require(
        _ list: [Interest], _ descriptor: CInt, _ name: String, _ wanted: UInt32
    ) throws(CheckFailure) {
        guard let entry = list.first(where: { $0.descriptor == descriptor }) else {
            throw CheckFailure(
                expected: "\(name), descriptor \(descriptor), in the interest list",
                found: "only \(list.map { "\($0.descriptor)" }.joined(separator: ", "))")
        }
        guard entry.events & EPOLLET.rawValue != 0 else {
            throw CheckFailure(
                expected: "EPOLLET (0x80000000) among the events of \(name)",
                found: "0x\(String(entry.events, radix: 16)): level-triggered",
                cause: "Without EPOLLET a descriptor is told of again and again, as in epoll-echo.")
        }
        guard entry.events & wanted == wanted else {
            throw CheckFailure(
                expected: wanted == EPOLLIN.rawValue
                    ? "EPOLLIN among the events of \(name)"
                    : "EPOLLIN and EPOLLOUT (0x5) among the events of \(name)",
                found: "0x\(String(entry.events, radix: 16))",
                cause:
                    "It is registered once, for all that may ever be of interest: an edge that is "
                    + "of no use now costs little, and epoll_ctl need not be called again.")
        }
    }
}
