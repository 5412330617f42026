import CLinux
import Glibc
import Harness

/// What both suites of the chapter do to a server that serves many clients in one thread.
extension CheckRun {
    /// Sends single bytes, and requires each back before the next.
    func exchangeBytesOneByOne(with client: TCPClient) throws(CheckFailure) {
        for byte in random.line(15) {
            try client.send([byte])
            try client.receive([byte])
        }
    }

    /// A client whose bytes and whose end are both there when the server reads.
    func finishSendingWhileItIsStopped(_ server: ServerProcess) throws(CheckFailure) {
        let client = try connect(server)
        try exchangeALine(with: client)
        try server.send(SIGSTOP)
        let line = random.line(1000)
        try client.send(line)
        client.finishSending()
        try server.send(SIGCONT)
        try client.receive(line)
        try client.receiveEnd()
    }

    /// A client that resets its connection while the server waits; another one must not notice.
    func breakOff(_ server: ServerProcess) throws(CheckFailure) {
        let other = try connect(server)
        try exchangeALine(with: other)
        let breaker = try connect(server)
        try exchangeALine(with: breaker)
        try server.waitUntilParked()
        breaker.reset()
        try exchangeALine(with: other)
        try server.waitUntilParked()
        try exchangeALine(with: connect(server))
    }

    /// A client to which two replies are written after it has gone; another one must not notice.
    func leaveBeforeTheReplies(_ server: ServerProcess) throws(CheckFailure) {
        let other = try connect(server)
        try exchangeALine(with: other)
        try server.writeToAGoneClient(self)
        try exchangeALine(with: other)
        try exchangeALine(with: connect(server))
    }

    /// 300 clients come and go. Then as many descriptors must be open as before.
    func comeAndGo(_ server: ServerProcess) throws(CheckFailure) {
        try server.waitUntilParked()
        let before = server.proc.descriptors().count
        transcript.add("300 clients come and go; every third resets its connection")
        for number in 1...300 {
            let client = try connect(server, quietly: true)
            try exchangeALine(with: client)
            if number % 3 == 0 { client.reset() } else { client.close() }
        }
        try server.waitUntilParked()
        let after = server.proc.descriptors().count
        guard after <= before else {
            throw CheckFailure(
                expected: "\(before) open descriptors, as before the first client",
                found: "\(after), so \(after - before) are left of 300 clients")
        }
    }

    /// A client that sends until the server can take no more, and only then reads, in small pieces.
    func readSlowly(_ server: ServerProcess) throws(CheckFailure) {
        let client = try connect(server, quietly: true)
        for _ in 1...2 {
            let bytes = try fillUntilItReadsNoMore(server, client)
            transcript.add("\(client.name) reads \(counted(bytes.count, "byte")), piece by piece")
            for start in stride(from: 0, to: bytes.count, by: 50_000) {
                try client.receive(Array(bytes[start..<min(start + 50_000, bytes.count)]))
            }
        }
    }

    /// Bytes that are quickly made: a random block, again and again.
    func manyBytes(_ count: Int) -> [UInt8] {
        let block = random.bytes(999_983)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count { bytes += block }
        return bytes
    }

    /// Sends to an echo server and reads nothing, until the server reads no more either.
    /// - Returns: What was sent and is to come back.
    func fillUntilItReadsNoMore(
        _ server: ServerProcess, _ client: TCPClient, most: Int = 48 << 20
    ) throws(CheckFailure) -> [UInt8] {
        let bytes = manyBytes(most)
        transcript.add("\(client.name) sends, and reads nothing, until the server reads no more")
        var sent = 0
        var before: [ProcFS.Thread] = []
        var hasUnread = false
        try server.wait(for: "a server that no longer reads from \(client.name)") {
            () throws(CheckFailure) in
            let end = min(sent + (1 << 18), most)
            let taken = try client.sendWhatFits(bytes[sent..<end])
            sent += taken
            guard sent < most else {
                let kept = server.proc.residentBytes >> 20
                throw CheckFailure(
                    expected: "a server that reads no more from a client that does not read",
                    found: "it has taken \(most >> 20) MiB; its memory is now \(kept) MiB",
                    cause: kept > most >> 21
                        ? "While bytes of a client are unsent, do not ask for more of its bytes."
                        : "It has not kept them: what a send did not take was lost.")
            }
            // It sleeps, has slept since the last look, and had bytes to read all the time: had it
            // asked about them, it would have been woken.
            let now = server.proc.threads()
            let rests = !now.isEmpty && now.allSatisfy { $0.call != nil }
            let sleptOn = hasUnread && rests && now == before
            if taken > 0 || sleptOn { return sleptOn && taken == 0 }
            let row = SocketTable.connection(port: server.port, remotePort: client.port)
            hasUnread = rests && (row?.receiveQueue ?? 0) > 0
            before = now
            return false
        }
        return Array(bytes.prefix(sent))
    }
}

extension ServerProcess {
    /// The server's descriptor of a client's connection, which it must have accepted.
    func descriptor(of client: TCPClient) throws(CheckFailure) -> CInt {
        try wait(for: "the connection of \(client.name) to be accepted") {
            let row = SocketTable.connection(port: self.port, remotePort: client.port)
            return (row?.inode ?? 0) != 0
        }
        return try socketDescriptor(
            SocketTable.connection(port: port, remotePort: client.port))
    }
}
