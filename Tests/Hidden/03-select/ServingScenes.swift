import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// What the suite of select-echo does to see whom the server serves.
extension CheckRun {
    /// One client has much to be echoed; another one has a line, and a datagram has come.
    func serveInTurn(_ trace: SyscallTrace) throws(CheckFailure) {
        let server = try startServer(trace: trace)
        let busy = try connect(server)
        let other = try connect(server)
        let sender = try sender(to: server)
        for client in [busy, other] { try exchangeALine(with: client) }
        try server.waitUntilParked()
        let descriptor = try server.descriptor(of: other)
        let datagrams = try server.socketDescriptor(SocketTable.udp(port: server.port))
        try server.send(SIGSTOP)
        transcript.add("the server is stopped; \(busy.name) sends as much as the kernel takes")
        let much = random.bytes(1 << 20)
        var sent = 0
        while case let taken = try busy.sendWhatFits(much[sent...]), taken > 0 { sent += taken }
        let line = random.line(8)
        try other.send(line)
        try sender.send(line)
        let before = trace.events.count
        try server.send(SIGCONT)
        try sender.receive(line)
        try other.receive(line)
        try busy.receive(Array(much.prefix(sent)))
        let calls = trace.events[before...].filter { $0.kind == .call }
        for (socket, who) in [(datagrams, "the UDP socket"), (descriptor, other.name)] {
            let turns = selectsUntilItIsRead(socket, calls)
            guard turns <= 3 else {
                throw CheckFailure(
                    expected: "\(who) served when select has said that it is ready",
                    found: "select said so \(turns) times before it was served",
                    cause: "Serve everything that one select has named before you ask the next.")
            }
        }
    }

    private func selectsUntilItIsRead(_ socket: CInt, _ calls: [TraceEvent]) -> Int {
        let said = calls.drop {
            !($0.result ?? 0 > 0 && $0.ready.descriptors(POLLIN).contains(socket))
        }
        return said.prefix { !(taking.contains($0.number) && $0.call.descriptor == socket) }
            .filter { SystemCall.inSelect.contains($0.number) }.count
    }

    /// select says: ready. Before the server takes what has come, somebody else does. A call that
    /// waits now would wait for this one socket, and nobody else would be served.
    func takeAwayWhatWasReady() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        let other = try connect(server)
        let client = try connect(server)
        let sender = try sender(to: server)
        for client in [other, client] { try exchangeALine(with: client) }
        let connection = try server.descriptor(of: client)
        let listener = try server.listenerDescriptor()
        let datagrams = try server.socketDescriptor(SocketTable.udp(port: server.port))
        var late: TCPClient?
        let ways: [(String, CInt, Set<Int32>, () throws(CheckFailure) -> Void)] = [
            (
                "a line", connection, taking,
                { () throws(CheckFailure) in
                    try client.send([0x68, 0x69, 0x0a])
                }
            ),
            (
                "a datagram", datagrams, taking,
                { () throws(CheckFailure) in
                    try sender.send([0x68, 0x69, 0x0a])
                }
            ),
            (
                "a new client", listener, SystemCall.accepting,
                { () throws(CheckFailure) in
                    late = try self.connect(server)
                }
            ),
        ]
        for (what, socket, calls, come) in ways {
            try server.waitUntilParked()
            trace.hold(at: 1, of: calls, from: UInt64(socket))
            try come()
            try server.wait(for: "a call that takes \(what)") { trace.isHolding }
            transcript.add("select has said so; somebody else takes \(what) before the server does")
            try server.withCopy(of: socket) { copy throws(CheckFailure) in
                take(from: copy, isListener: socket == listener)
            }
            trace.release()
            do {
                try exchangeALine(with: other)
            } catch  where error.kind == .failed {
                throw CheckFailure(
                    expected: "a server that goes on to the others when \(what) is gone again",
                    found: error.found,
                    cause: "A blocking call waits for \(what) alone. Ready is a hint, no promise: "
                        + "set O_NONBLOCK on every socket, the listener and the UDP socket too.")
            }
        }
        late?.close()
    }

    private func take(from copy: CInt, isListener: Bool) {
        var byte = [UInt8](repeating: 0, count: 64)
        if isListener {
            close(accept(copy, nil, nil))
        } else {
            recv(copy, &byte, byte.count, Int32(MSG_DONTWAIT))
        }
    }

    /// More clients come than an fd_set has bits.
    func connectMoreThanASetHolds() throws(CheckFailure) {
        try requireDescriptors(1400)
        let server = try startServer(openFiles: 4096)
        try server.waitUntilParked()
        let own = server.proc.descriptors().count
        let clients = try connect(server, count: 1100)
        let fitting = Int(FD_SETSIZE) - own
        transcript.add("an fd_set has 1,024 bits: \(fitting) of the clients fit")
        for number in fitting..<clients.count {
            do {
                try clients[number].receiveEnd()
            } catch  where error.kind == .failed && server.exitStatus == nil {
                throw CheckFailure(
                    expected: "an end of connection for client \(number + 1), which does not fit",
                    found: error.found,
                    cause:
                        "Its descriptor is FD_SETSIZE or more: close it. select cannot watch it, "
                        + "and C's FD_SET would write beyond the end of the set.")
            }
        }
        transcript.add("those that fit speak, the last one first")
        for number in stride(from: fitting - 1, through: 0, by: -25) {
            try exchangeALine(with: clients[number])
        }
        try server.requireParkedInSelect()
        for client in clients { client.close() }
        try server.wait(for: "the server to close all connections") {
            server.proc.descriptors().count <= own
        }
        try exchangeALine(with: connect(server))
    }
}
