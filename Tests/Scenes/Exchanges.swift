// SPDX-License-Identifier: MIT

public import Harness

/// What every suite does with a client.
extension CheckRun {
    /// Sends a line of random letters, and requires it back.
    public func exchangeALine(with client: TCPClient) throws(CheckFailure) {
        let line = random.line(8)
        try client.send(line)
        try client.receive(line)
    }

    /// The same for several clients, one after the other.
    public func exchangeALine(withEach clients: some Sequence<TCPClient>) throws(CheckFailure) {
        for client in clients { try exchangeALine(with: client) }
    }

    /// A client comes, has a line echoed, and leaves.
    public func visit(_ server: ServerProcess) throws(CheckFailure) {
        let client = try connect(server)
        try exchangeALine(with: client)
        client.close()
    }

    /// Many bytes, quickly made: a random block again and again, of a length that is no multiple of any
    /// buffer's.
    public func manyBytes(_ count: Int) -> [UInt8] {
        let block = random.bytes(1_000_003)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count { bytes += block }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
