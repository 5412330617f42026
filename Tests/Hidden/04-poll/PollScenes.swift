import CLinux
import Glibc
import Harness

/// What the suite of poll-echo does to a server.
extension ServerProcess {
    /// Waits until it rests in poll.
    func rest() throws(CheckFailure) {
        try requireParked(in: SystemCall.inPoll, words: "poll")
    }

    /// Rests, and gives the number of its descriptors.
    func restingDescriptors() throws(CheckFailure) -> Int {
        try rest()
        return proc.descriptors().count
    }

    /// Requires that it has closed all but `count` descriptors, and rests.
    func requireDescriptors(_ count: Int, after whom: String) throws(CheckFailure) {
        try wait(for: "at most \(counted(count, "open descriptor")), after \(whom)") {
            proc.descriptors().count <= count
        }
        try rest()
    }

    /// The rows of the poll that it rests in.
    /// - Throws: `CheckFailure` when a poll says POLLNVAL, when a row is there twice, or when the
    ///   server does not come to rest.
    func restingRows(_ trace: SyscallTrace) throws(CheckFailure) -> [Interest] {
        var rows: [Interest]?
        try wait(for: "the server to wait in poll") { () throws(CheckFailure) in
            let polls = trace.polls
            for poll in polls { try requireOpen(poll) }
            let threads = proc.threads()
            let isInPoll = threads.allSatisfy {
                $0.call.map { SystemCall.inPoll.contains($0.number) } ?? false
            }
            rows = isInPoll && polls.last?.result == nil ? polls.last?.interests : nil
            return rows != nil
        }
        return rows ?? []
    }

    /// Requires that the poll it rests in asks for room (POLLOUT) in so many rows.
    func requireRoomAskedFor(_ count: Int, _ why: String) throws(CheckFailure) {
        let rows = try restingPollRows()
        let asking = rows.filter { $0.descriptor >= 0 && $0.has(POLLOUT) }.count
        guard asking == count else {
            throw CheckFailure(
                expected: "POLLOUT in \(counted(count, "row")), because \(why)",
                found: "POLLOUT in \(asking) of \(counted(rows.count, "row"))")
        }
    }

    private func requireOpen(_ poll: TraceEvent) throws(CheckFailure) {
        if let closed = poll.ready.first(where: { $0.has(POLLNVAL) }) {
            throw CheckFailure(
                expected: "an array in which every descriptor is open",
                found: "poll said POLLNVAL of descriptor \(closed.descriptor): it is closed.")
        }
        // Two rows for one socket, each for an event of its own, would be no mistake.
        let asking = poll.interests.filter { $0.descriptor >= 0 && $0.events != 0 }
        let groups = Dictionary(grouping: asking) { "\($0.descriptor) \($0.events)" }.values
        if let twice = groups.first(where: { $0.count > 1 })?.first {
            throw CheckFailure(
                expected: "an array with one row for each descriptor",
                found: "descriptor \(twice.descriptor) has two rows that ask for the same: one of "
                    + "them was a client's that has left")
        }
    }
}

/// A client that sends and never reads, and what it is to get back.
struct SlowReader {
    /// What nobody may read from one client without sending: more than all buffers of the kernel.
    private static let tooMuch = 64 << 20

    let client: TCPClient
    private let pattern: [UInt8]
    private let sent: Int

    /// Sends until the server rests in poll although bytes lie unread in its socket: then it waits for
    /// room.
    init(_ run: CheckRun, _ server: ServerProcess) throws(CheckFailure) {
        client = try run.connect(server, quietly: true)
        pattern = run.random.bytes(1 << 18)
        run.transcript.add("\(client.name) connects, sends as much as it can, and reads nothing")
        var sent = 0
        var isOwed = false
        while !isOwed {
            guard sent < Self.tooMuch else {
                let memory = server.proc.residentBytes >> 20
                throw CheckFailure(
                    expected: "a server that reads no more while it cannot send",
                    found:
                        "it took \(sent >> 20) MiB of a client that reads nothing, and keeps them: "
                        + "it has \(memory) MiB of memory in use.")
            }
            let taken = try client.sendWhatFits(pattern[(sent % pattern.count)...])
            sent += taken
            if taken > 0 { continue }
            try server.rest()
            let row = SocketTable.connection(port: server.port, remotePort: client.port)
            isOwed = (row?.receiveQueue ?? 0) > 0
        }
        self.sent = sent
    }

    /// Reads all that it has sent.
    func readAll(_ run: CheckRun) throws(CheckFailure) {
        run.transcript.add("\(client.name) reads all that it has sent")
        var bytes: [UInt8] = []
        while bytes.count < sent { bytes += pattern }
        bytes.removeLast(bytes.count - sent)
        try client.receive(bytes)
    }
}

extension CheckRun {
    /// Sends many bytes to an echo server that never waits for one client, and reads them back slowly.
    func echoSlowly(_ server: ServerProcess, bytes count: Int) throws(CheckFailure) {
        let client = try connect(server, quietly: true)
        let bytes = random.bytes(count)
        transcript.add("a client connects, sends \(counted(count, "byte")), and reads slowly")
        var sent = 0
        var received: [UInt8] = []
        while received.count < count {
            let taken = try client.sendWhatFits(bytes[sent..<min(sent + (1 << 18), count)])
            sent += taken
            if taken > 0 { continue }
            let got = try client.receiveSome(atMost: min(50_000, count - received.count)) {
                "\(counted(count, "byte")) back; \(counted(received.count, "byte")) came"
            }
            received += got
            let wanted = Array(bytes[..<received.count].suffix(got.count))
            guard !got.isEmpty, wanted == got else {
                throw CheckFailure(
                    expected: "\(counted(count, "byte")) back, in their order",
                    found: got.isEmpty
                        ? "the end of the connection after \(counted(received.count, "byte"))"
                        : "other bytes, after \(counted(received.count - got.count, "byte"))")
            }
        }
    }

    /// Connects many clients, so few at a time that the backlog has room for them.
    func connectMany(
        _ server: ServerProcess, _ count: Int
    ) throws(CheckFailure) -> [TCPClient] {
        transcript.add("\(counted(count, "client")) connect")
        var clients: [TCPClient] = []
        while clients.count < count {
            for _ in 0..<min(400, count - clients.count) {
                clients.append(try connect(server, quietly: true))
            }
            try server.wait(for: "the clients in the backlog to be accepted") {
                SocketTable.listener(port: server.port)?.receiveQueue == 0
            }
        }
        return clients
    }

    /// Lets a client send five lines, and gives the calls that its server makes for them.
    func callsForFiveLines(
        of client: TCPClient, _ server: ServerProcess, _ trace: SyscallTrace
    ) throws(CheckFailure) -> Int {
        try server.rest()
        let before = trace.events.count
        for _ in 1...5 {
            try exchangeALine(with: client)
            try server.rest()
        }
        return trace.events.count - before
    }

    /// Lets the next calls of each kind fail with EINTR, and requires that nobody notices.
    func interruptPollToo() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        try server.waitUntilParked()
        for calls in [SystemCall.accepting, SystemCall.reading, SystemCall.writing] {
            trace.inject(.fail(EINTR), at: 1, of: calls, from: 3)
        }
        // Of three polls two: so one of them comes when the poll before had something to tell.
        for nth in 1...60 where nth % 3 != 0 {
            trace.inject(.fail(EINTR), at: nth, of: SystemCall.inPoll)
        }
        let fault = "an accept, a read, a write and many polls will be interrupted (EINTR)"
        try despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...3 {
                let client = try connect(server)
                for _ in 1...2 {
                    try exchangeALine(with: client)
                    // Silent until it rests: an old answer would now lead to a read of nothing.
                    try server.rest()
                }
                client.close()
            }
        }
    }
}
