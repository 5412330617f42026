// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What several suites do to a server.
extension CheckRun {
    /// Sends a line of random letters, and requires it back.
    public func exchangeALine(with client: TCPClient) throws(CheckFailure) {
        let line = random.line(8)
        try client.send(line)
        try client.receive(line)
    }
}

extension ServerProcess {
    /// Sends many bytes to an echo server and reads them back so slowly that its writes have to
    /// wait.
    ///
    /// While it is blocked in a write it is stopped and let go on. A write that a signal interrupts
    /// gives the number of bytes that it has taken so far: a short write, as often as we like.
    public func echoToASlowReader(_ run: CheckRun, bytes count: Int) throws(CheckFailure) {
        let client = try run.connect(self, quietly: true)
        let bytes = run.random.bytes(count)
        run.transcript.add("a client connects, sends \(counted(count, "byte")), and reads slowly")
        var sent = 0
        var received = 0
        var interruptions = 0
        while received < count {
            let taken = try client.sendWhatFits(bytes[sent..<min(sent + (1 << 18), count)])
            sent += taken
            if interruptions < 40 {
                if taken > 0 { continue }
                if try interruptAWrite() { interruptions += 1 }
            }
            let got = try client.receiveSome(atMost: min(50_000, count - received)) {
                "\(counted(count, "byte")) back; \(counted(received, "byte")) came"
            }
            try require(got, of: bytes, from: received, interruptions)
            received += got.count
        }
        run.transcript.add("its writes were interrupted \(interruptions) times")
    }

    private func require(
        _ got: [UInt8], of bytes: [UInt8], from start: Int, _ interruptions: Int
    ) throws(CheckFailure) {
        guard !got.isEmpty else {
            throw CheckFailure(
                expected: "\(counted(bytes.count, "byte")) back",
                found: "the end of the connection after \(counted(start, "byte"))")
        }
        guard let difference = Difference(expected: bytes, from: start, received: got) else {
            return
        }
        throw CheckFailure(
            expected: difference.expected, found: difference.received,
            cause:
                "From byte \(difference.offset) on the bytes are others: some were left out or sent "
                + "twice. write may take only a part, and says how much; here \(interruptions) writes "
                + "were interrupted by a signal.")
    }

    /// Stops the server in the middle of a write, and lets it go on. False if it does not write.
    private func interruptAWrite() throws(CheckFailure) -> Bool {
        for _ in 0..<20 {
            if isBlockedInAWrite {
                try send(SIGSTOP)
                try send(SIGCONT)
                return true
            }
            process.waitForEnd(milliseconds: 1)
        }
        return false
    }

    private var isBlockedInAWrite: Bool {
        proc.threads().contains { $0.call.map { SystemCall.writing.contains($0.number) } ?? false }
    }

    /// Sends to an echo server and reads nothing, until the server is blocked in a write.
    /// - Returns: What was sent and is to come back.
    public func fillUntilAWriteBlocks(
        _ run: CheckRun, _ client: TCPClient
    ) throws(CheckFailure) -> [UInt8] {
        let bytes = run.random.bytes(16 << 20)
        run.transcript.add(
            "\(client.name) sends, and reads nothing, until the server's write must wait")
        var sent = 0
        try wait(for: "a write that waits for \(client.name)") { () throws(CheckFailure) in
            sent += try client.sendWhatFits(bytes[sent..<min(sent + (1 << 18), bytes.count)])
            return isBlockedInAWrite
        }
        return Array(bytes.prefix(sent))
    }

    /// Makes an echo server write twice to a client that is gone: the first write is answered with
    /// a reset, the second one is the one that SIGPIPE comes for. See send(2), EPIPE.
    public func writeToAGoneClient(_ run: CheckRun) throws(CheckFailure) {
        let client = try run.connect(self)
        try run.exchangeALine(with: client)
        // Stopped, so that everything below has happened before it reads again.
        try send(SIGSTOP)
        try client.send(run.random.line(8))
        try client.sendUrgent(0x21)
        try client.send(run.random.line(8))
        client.close()
        run.transcript.add("the server, stopped meanwhile, goes on: it has two replies to write")
        try send(SIGCONT)
    }

    /// The second argument of listen(2), asked of the kernel. In TCP_INFO of a listening socket the
    /// field `tcpi_sacked` is the limit of the backlog, and `tcpi_unacked` its length.
    public func backlogLimit(of listener: CInt) throws(CheckFailure) -> Int {
        try withCopy(of: listener) { copy throws(CheckFailure) in
            var info = tcp_info()
            var size = socklen_t(MemoryLayout<tcp_info>.size)
            guard getsockopt(copy, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else {
                throw CheckFailure(
                    expected: "a TCP socket as descriptor \(listener) of the server",
                    found: errorText(errno))
            }
            return Int(info.tcpi_sacked)
        }
    }
}
