// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What the checks of an echo server ask of its interest list, and of its rest.
extension ServerProcess {
    /// The processor time that a server may use before it rests, in nanoseconds. Time that passes
    /// while others have the processor does not count.
    private static let effort = 1_000_000_000

    private static let whyItNeverRests =
        "epoll_wait returns at once while anything is there that it watches for: bytes that you do "
        + "not read, or room that you do not use. Switch the entry with EPOLL_CTL_MOD, and look at "
        + "the result."

    /// Waits as `wait(for:until:)` does, but gives a server up that runs in a circle meanwhile.
    public func waitOrSpin(
        for what: String, cause: String? = nil, until condition: () throws(CheckFailure) -> Bool
    ) throws(CheckFailure) {
        let start = proc.cpuNanoseconds
        try wait(for: what) { () throws(CheckFailure) in
            if try condition() { return true }
            let used = proc.cpuNanoseconds - start
            guard used < Self.effort else {
                throw CheckFailure(
                    expected: what,
                    found: "it never rested: \(used / 1_000_000) ms of processor time. \(activity)",
                    cause: cause)
            }
            return false
        }
    }

    /// Requires that its thread comes to rest in epoll_wait, without a time limit.
    public func requireRestInEpollWait(cause: String? = nil) throws(CheckFailure) {
        var before: [ProcFS.Thread] = []
        try waitOrSpin(
            for: "a server that waits while it has nothing to do",
            cause: cause ?? Self.whyItNeverRests
        ) {
            let now = proc.threads()
            defer { before = now }
            return !now.isEmpty && now == before && now.allSatisfy { $0.call != nil }
        }
        let calls = before.compactMap(\.call).filter {
            SystemCall.waitingInEpoll.contains($0.number)
        }
        guard let call = calls.first else {
            throw CheckFailure(
                expected: "a thread waiting in epoll_wait", found: activity, cause: cause)
        }
        guard call.waitsForever else {
            let limit = Int32(truncatingIfNeeded: call.arguments[3])
            throw CheckFailure(
                expected: "an epoll_wait that waits for as long as it takes (timeout -1)",
                found: "\(call.description) with a timeout of \(limit) milliseconds",
                cause: "A time limit wakes the server for nothing. Its unit is the millisecond.")
        }
    }

    /// The server's one epoll descriptor and its interest list, as the kernel lists it.
    public func interestList() throws(CheckFailure) -> [Interest] {
        let all = proc.epollDescriptors()
        guard all.count == 1 else {
            throw CheckFailure(
                expected: "one epoll descriptor",
                found: all.isEmpty ? "none" : "\(all.count): \(all.map(String.init))",
                cause: "epoll_create1 is called once. Its list lives as long as its descriptor.")
        }
        guard let list = proc.interestList(of: all[0]) else {
            try requireAliveNow()
            throw CheckFailure(
                expected: "descriptor \(all[0]), the server's epoll descriptor, to be open",
                found: "the server has closed it")
        }
        return list
    }

    /// The entry that a descriptor has in the interest list.
    public func entry(
        of descriptor: CInt, _ client: TCPClient
    ) throws(CheckFailure) -> Interest {
        guard let entry = try interestList().first(where: { $0.descriptor == descriptor }) else {
            throw CheckFailure(
                expected: "\(client.name), descriptor \(descriptor), in the interest list",
                found: "it is not there, though the client is connected")
        }
        return entry
    }

    /// Sends to an echo server and reads nothing, until the server rests and leaves bytes unread:
    /// it then waits for room, and for nothing else of this client.
    /// - Returns: What was sent and is to come back.
    public func fillUntilItRests(
        _ run: CheckRun, _ client: TCPClient
    ) throws(CheckFailure) -> [UInt8] {
        let bytes = run.random.bytes(32 << 20)
        run.transcript.add(
            "\(client.name) sends, and reads nothing, until the server leaves its bytes unread")
        let sent = try sendUntilItRests(client, bytes)
        guard sent < bytes.count else {
            throw CheckFailure(
                expected: "a server that reads no more while its replies are not taken",
                found: "it has taken \(counted(sent, "byte")), and \(client.name) has read none",
                cause: "What does not fit has to be kept, and what it keeps grows without a limit. "
                    + "While bytes are unsent, wait for room and read no more.")
        }
        return Array(bytes.prefix(sent))
    }

    /// Sends many bytes, reads nothing until the sockets are full, then reads a little at a time.
    public func echoToAFullReader(_ run: CheckRun, bytes count: Int) throws(CheckFailure) {
        let client = try run.connect(self, quietly: true)
        let bytes = run.random.bytes(count)
        run.transcript.add("a client connects, sends \(counted(count, "byte")), and reads slowly")
        // The last quarter comes later, while older bytes still wait in the server.
        var sent = try sendUntilItRests(client, Array(bytes.prefix(count / 4 * 3)))
        var received = 0
        while received < count {
            sent += try client.sendWhatFits(bytes[sent..<min(sent + 50_000, count)])
            let got = try client.receiveSome(atMost: min(50_000, count - received)) {
                "\(counted(count, "byte")) back; \(counted(received, "byte")) came"
            }
            if let difference = Difference(expected: bytes, from: received, received: got) {
                throw CheckFailure(
                    expected: difference.expected, found: difference.received,
                    cause:
                        "From byte \(difference.offset) on the bytes are others: some are missing, "
                        + "came twice, or were overtaken. send says how much it has taken; keep the "
                        + "rest, and send it first.")
            }
            guard !got.isEmpty else {
                throw CheckFailure(
                    expected: "\(counted(count, "byte")) back",
                    found: "the end of the connection after \(counted(received, "byte"))")
            }
            received += got.count
        }
    }

    /// Sends until nothing more goes and the server rests: with bytes unread, or with all taken.
    /// - Returns: How many bytes have gone.
    private func sendUntilItRests(
        _ client: TCPClient, _ bytes: [UInt8]
    ) throws(CheckFailure) -> Int {
        var sent = 0
        var before: [ProcFS.Thread] = []
        var looks = 0
        try waitOrSpin(
            for: "a server that rests while \(client.name) takes nothing",
            cause: Self.whyItNeverRests
        ) { () throws(CheckFailure) in
            let taken = try client.sendWhatFits(bytes[sent..<min(sent + (1 << 18), bytes.count)])
            sent += taken
            let now = proc.threads()
            defer { before = now }
            let rests = taken == 0 && now == before && now.allSatisfy { $0.call != nil }
            looks = rests ? looks + 1 : 0
            // The table of sockets may be long, so it is asked once, when all else is quiet. Bytes
            // that have just come may be about to wake the server: the look after that tells.
            if looks == 2, sent < bytes.count {
                let row = SocketTable.connection(port: port, remotePort: client.port)
                if row?.receiveQueue == 0 { looks = 0 }
            }
            return looks == 3
        }
        return sent
    }
}
