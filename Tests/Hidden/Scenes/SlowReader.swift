// SPDX-License-Identifier: MIT

public import Harness
import Registry
import Scenes

/// A client that has sent as much as the server takes, and has read nothing: the server has bytes for it
/// that it cannot send, and some of the client's bytes lie unread in the server's socket.
public struct SlowReader {
    /// The client.
    public let client: TCPClient
    /// What it has sent, and is to get back.
    public let bytes: [UInt8]

    /// Reads all that it has sent.
    public func readAll(_ run: CheckRun) throws(CheckFailure) {
        run.transcript.add("\(client.name) reads all that it has sent")
        try client.receive(bytes)
    }
}

extension Echo {
    /// What nobody may read from one client without sending: more than all buffers of the kernel hold.
    private static let tooMuch = 48 << 20

    /// Connects a slow reader, and fills the sockets between it and the server.
    /// - Parameter hasRoom: Leaves room in the server's socket, so that the client's end, which comes
    ///   after its bytes, can still reach it.
    public func slowReader(
        _ server: ServerProcess, hasRoom: Bool = false
    ) throws(CheckFailure) -> SlowReader {
        let client = try run.connect(server, quietly: true)
        let bytes = run.manyBytes(Self.tooMuch)
        run.transcript.add(
            "\(client.name) connects, sends as much as the server takes, and reads nothing")
        let sent =
            try hasRoom
            ? sendUntilUnread(server, client, bytes[...])
            : sendUntilIdle(server, client, bytes[...])
        guard sent < bytes.count else {
            let kept = server.proc.residentBytes >> 20
            throw CheckFailure(
                expected: "a server that reads no more while its replies are not taken",
                found: "it has taken \(sent >> 20) MiB of a client that reads nothing; "
                    + "it uses \(kept) MiB of memory",
                cause: kept > Self.tooMuch >> 21
                    ? "What does not fit has to be kept, and what it keeps grows without a limit. "
                        + "While bytes are unsent, wait for room and read no more."
                    : "It has not kept them: what a send did not take was lost.")
        }
        run.transcript.add("it has sent \(counted(sent, "byte")), and some of them lie unread")
        return SlowReader(client: client, bytes: Array(bytes.prefix(sent)))
    }

    /// Sends until nothing more goes and the server does nothing more: with bytes unread in its socket,
    /// or with all of them taken.
    /// - Returns: How many have gone.
    func sendUntilIdle(
        _ server: ServerProcess, _ client: TCPClient, _ bytes: ArraySlice<UInt8>
    ) throws(CheckFailure) -> Int {
        var rest = bytes
        var idleness = Idleness()
        var time = server.proc.cpuNanoseconds
        var looks = 0
        try server.wait(for: "a server that is idle while \(client.name) reads nothing") {
            () throws(CheckFailure) in
            let taken = try client.sendWhatFits(rest.prefix(1 << 18))
            rest = rest.dropFirst(taken)
            if taken > 0 {
                looks = 0
                time = server.proc.cpuNanoseconds
                return false
            }
            let used = server.proc.cpuNanoseconds - time
            let isIdle = model.polls ? used > 5_000_000 : idleness.continues(in: server)
            try requireNoSpinning(used, server)
            looks = isIdle ? looks + 1 : 0
            // The kernel is asked once, when all else is quiet. Bytes that have just come may be about
            // to wake the server: the looks after that tell.
            if looks == 2, !rest.isEmpty, server.unreadBytes(of: client) == 0 { looks = 0 }
            return looks >= 3
        }
        return bytes.count - rest.count
    }

    /// Sends little by little, until some of it stays unread in the socket of a server that does
    /// nothing more: nothing of the client is under way then.
    /// - Returns: How many have gone.
    private func sendUntilUnread(
        _ server: ServerProcess, _ client: TCPClient, _ bytes: ArraySlice<UInt8>
    ) throws(CheckFailure) -> Int {
        var rest = bytes
        while !rest.isEmpty {
            rest = rest.dropFirst(try client.sendWhatFits(rest.prefix(1 << 15)))
            var idleness = Idleness()
            let time = server.proc.cpuNanoseconds
            var looks = 0
            try server.wait(for: "a server that is idle while \(client.name) reads nothing") {
                () throws(CheckFailure) in
                guard client.unacknowledgedBytes == 0 else { return false }
                if server.unreadBytes(of: client) == 0 { return true }
                let used = server.proc.cpuNanoseconds - time
                let isIdle = model.polls ? used > 5_000_000 : idleness.continues(in: server)
                try requireNoSpinning(used, server)
                looks = isIdle ? looks + 1 : 0
                return looks >= 3
            }
            if looks >= 3 { break }
        }
        return bytes.count - rest.count
    }

    private func requireNoSpinning(
        _ used: Int, _ server: ServerProcess
    ) throws(CheckFailure) {
        guard !model.polls, used > 1_000_000_000 else { return }
        throw CheckFailure(
            expected: "a server that is idle while a client reads nothing",
            found: "it spins: \(used / 1_000_000) ms of processor time since the last byte. "
                + server.activity, cause: model.advice)
    }
}
