// SPDX-License-Identifier: MIT

import Glibc
public import Harness
import Registry
import Scenes

/// Every byte comes back, in its order, however slowly the client reads.
extension Echo {
    /// Single bytes, each back before the next.
    public func echoesBytesOneByOne() throws(CheckFailure) {
        let client = try run.connect(start())
        for byte in run.random.line(15) {
            try client.send([byte])
            try client.receive([byte])
        }
    }

    /// Many bytes, read back a little at a time. The server is stopped now and then, while the client
    /// makes room and sends more: then it finds room for what is unsent, and new bytes, in one moment.
    /// A write that waits gives what it has taken so far, when the server goes on.
    public func echoesAllToASlowReader(bytes count: Int = 8 << 20) throws(CheckFailure) {
        let server = try start()
        let client = try run.connect(server, quietly: true)
        let bytes = run.manyBytes(count)
        run.transcript.add("a client connects, sends \(counted(count, "byte")), and reads slowly")
        // The last quarter comes later, while older bytes still wait in the server.
        var sent = try sendUntilIdle(server, client, bytes[..<(count / 4 * 3)])
        var received = 0
        for turn in 0... {
            if turn < 20 {
                try server.send(SIGSTOP)
                // What the kernel holds goes to the client, so there is room.
                while try hasMore(server, client) {
                    received += try receive(client, bytes, from: received, atMost: 1 << 16)
                }
                sent += try client.sendWhatFits(bytes[sent..<min(sent + 50_000, count)])
                try server.send(SIGCONT)
            }
            guard received < count else { break }
            received += try receive(client, bytes, from: received, atMost: 50_000)
            sent += try client.sendWhatFits(bytes[sent..<min(sent + (1 << 18), count)])
        }
        run.transcript.add("it was stopped 20 times, while \(client.name) made room and sent more")
    }

    /// Whether anything of what the stopped server has sent is still to be read.
    private func hasMore(
        _ server: ServerProcess, _ client: TCPClient
    ) throws(CheckFailure) -> Bool {
        // What has come but is not acknowledged yet counts as unsent for a while.
        try server.wait(for: "what the server has sent to arrive") {
            client.waitingBytes > 0
                || SocketTable.connection(port: server.port, remotePort: client.port)?.sendQueue
                    ?? 0 == 0
        }
        return client.waitingBytes > 0
    }

    /// The next bytes of those that must come back.
    /// - Returns: How many have come.
    func receive(
        _ client: TCPClient, _ bytes: [UInt8], from start: Int, atMost most: Int
    ) throws(CheckFailure) -> Int {
        let got = try client.receiveSome(atMost: min(most, bytes.count - start)) {
            "\(counted(bytes.count, "byte")) back; \(counted(start, "byte")) came"
        }
        guard !got.isEmpty else {
            throw CheckFailure(
                expected: "\(counted(bytes.count, "byte")) back",
                found: "the end of the connection after \(counted(start, "byte"))")
        }
        if let difference = Difference(expected: bytes, from: start, received: got) {
            throw CheckFailure(
                expected: difference.expected, found: difference.received,
                cause:
                    "From byte \(difference.offset) on the bytes are others: some are missing, "
                    + "came twice, or were overtaken. A write says how much it has taken; keep the "
                    + "rest, and send it first.")
        }
        return got.count
    }

    /// A client that reads nothing does not keep the others waiting, and gets all of its bytes in the
    /// end.
    public func aSlowReaderHoldsNobody() throws(CheckFailure) {
        let server = try start()
        let others = try bystanders(server, 2)
        let slow = try slowReader(server)
        for _ in 1...3 { try run.exchangeALine(withEach: others) }
        try requireService(server, others)
        // While the slow reader's bytes wait, the others' are moved through the server.
        let bytes = run.random.bytes(250_000)
        try others[0].send(bytes)
        try others[0].receive(bytes)
        try rest(server)
        try slow.readAll(run)
    }

    /// Two slow readers at once get their own bytes.
    public func keepsClientsApart() throws(CheckFailure) {
        let server = try start()
        let others = try bystanders(server)
        let slow = [try slowReader(server), try slowReader(server)]
        try requireService(server, others)
        for reader in slow { try reader.readAll(run) }
    }

    /// What the server keeps of clients that do not read stays small.
    public func readsNoMoreThanItCanSend() throws(CheckFailure) {
        let server = try start()
        try rest(server)
        let before = server.proc.residentBytes
        // They stay: a client that is forgotten here has left.
        let readers = [try slowReader(server), try slowReader(server)]
        // Not in a write: what is kept in the kernel's queues proves nothing of the server.
        try rest(server)
        let grown = (server.proc.residentBytes - before) >> 20
        guard grown < 8 else {
            throw CheckFailure(
                expected: "at most a few buffers kept for two clients that do not read",
                found: "its memory grew by \(grown) MiB")
        }
        for reader in readers { reader.client.close() }
    }
}
