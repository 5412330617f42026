import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// What the suite of select-echo does to look at what the server asks of select.
extension Echo {
    /// Several clients speak in turn. Then all must be asked about, and the UDP socket.
    func watchWhoIsAskedAbout() throws(CheckFailure) {
        let server = try start()
        var clients: [TCPClient] = []
        for _ in 1...4 { clients.append(try run.connect(server)) }
        for client in [clients[3], clients[0], clients[2]] { try run.exchangeALine(with: client) }
        run.transcript.add("all are silent, client 2 was so from the beginning; the server rests")
        let asked = try server.askedAtRest().readable
        let listener = try server.listenerDescriptor()
        let datagrams = try server.socketDescriptor(SocketTable.udp(port: server.port))
        var wanted = [listener: "the listener", datagrams: "the UDP socket"]
        for client in clients { wanted[try server.descriptor(of: client)] = client.name }
        let missing = wanted.filter { !asked.contains($0.key) }
        guard missing.isEmpty else {
            let names = missing.sorted { $0.key < $1.key }.map { "\($0.value) (\($0.key))" }
            throw CheckFailure(
                expected: "select asked whether any of \(listed(Set(wanted.keys))) can be read",
                found: "it was asked about \(listed(asked)), and not about "
                    + names.joined(separator: ", "),
                cause:
                    "select overwrites its sets with the answer. Fill them anew before each call.")
        }
    }

    /// Clients come and the newest leave; meanwhile the first argument of select must follow.
    func watchTheFirstArgument() throws(CheckFailure) {
        let server = try start()
        for round in 1...2 {
            let clients = try run.connect(server, count: round == 1 ? 3 : 130)
            for client in clients { try run.exchangeALine(with: client) }
            run.transcript.add("all are silent; the server rests")
            try requireFirstArgument(of: server)
            if round == 1 {
                run.transcript.add("the first of them leaves, so that its number is free")
                clients[0].close()
                try server.requireParkedInSelect()
                try requireFirstArgument(of: server)
                continue
            }
            run.transcript.add("the last 100 of them leave, the newest first")
            for client in clients.suffix(100).reversed() { client.close() }
            try server.wait(for: "the server to close 100 connections") {
                server.proc.descriptors().count < 50
            }
            try requireFirstArgument(of: server)
        }
    }

    private func requireFirstArgument(of server: ServerProcess) throws(CheckFailure) {
        let call = try server.requireParkedInSelect()
        let given = Int(Int32(truncatingIfNeeded: call.arguments[0]))
        let sockets = server.proc.descriptors().filter { $0.value.hasPrefix("socket:") }
        let highest = Int(sockets.keys.max() ?? 0)
        // A server may look at whole words of 64 descriptors.
        guard given > highest, given <= highest + 64 else {
            throw CheckFailure(
                expected: "\(highest + 1): its highest socket, \(highest), plus one",
                found: "select's first argument is \(given)",
                cause: given <= highest
                    ? "select looks at descriptors below its first argument only."
                    : "It says how far the kernel must look. It has to sink when clients leave.")
        }
    }

    /// A client reads nothing and another talks; select must be asked for room for the first only.
    func watchWhoIsAskedForRoom() throws(CheckFailure) {
        let server = try start()
        let other = try run.connect(server)
        try run.exchangeALine(with: other)
        run.transcript.add("nothing is left to send; the server rests")
        try requireRoomAskedFor([], of: server)
        let slow = try slowReader(server)
        let descriptor = try server.descriptor(of: slow.client)
        try run.exchangeALine(with: other)
        try requireRoomAskedFor([descriptor], of: server)
        try slow.readAll(run)
        try requireRoomAskedFor([], of: server)
    }

    private func requireRoomAskedFor(
        _ wanted: Set<CInt>, of server: ServerProcess
    ) throws(CheckFailure) {
        let sets = try server.askedAtRest()
        let asked = sets.writable
        guard asked == wanted else {
            throw CheckFailure(
                expected: "select asked about room for: \(listed(wanted))",
                found: "it was asked about room for: \(listed(asked))",
                cause: "Ask whether a socket is writable exactly while bytes for it are unsent.")
        }
        let both = asked.intersection(sets.readable)
        guard both.isEmpty else {
            throw CheckFailure(
                expected: "no more bytes asked of a client that does not read",
                found: "descriptor \(listed(both)) is in the set of those to be read, too",
                cause: "Its bytes would be kept in memory without a bound, or be asked for in vain."
            )
        }
    }

    /// Clients leave in several ways. No select may fail, and none may be asked about who is gone.
    func closeAndLookAtTheSets(_ trace: SyscallTrace) throws(CheckFailure) {
        let server = try start(trace: trace)
        let stays = try run.connect(server)
        for number in 1...3 {
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            if number == 2 { client.reset() } else { client.close() }
            try run.exchangeALine(with: stays)
        }
        let failed = trace.selects.filter { ($0.result ?? 0) < 0 }
        if let result = failed.first?.result {
            throw CheckFailure(
                expected: "selects that succeed",
                found: "\(counted(failed.count, "select")) failed, the first with "
                    + "\(errorText(CInt(clamping: -result)))",
                cause:
                    "A descriptor was closed and is still in a set: that fails the whole call."
            )
        }
        let sets = try server.askedAtRest()
        let asked = sets.readable.union(sets.writable).union(sets.exceptional)
        let open = Set(server.proc.descriptors().keys)
        guard asked.isSubset(of: open) else {
            throw CheckFailure(
                expected: "select asked about open descriptors only: \(listed(open))",
                found: "it was asked about \(listed(asked))")
        }
    }

    /// select fails with EINTR. Its sets are then as they were asked, so everything looks ready.
    func interruptSelect(_ trace: SyscallTrace) throws(CheckFailure) {
        let server = try start(trace: trace)
        let clients = [try run.connect(server), try run.connect(server)]
        for client in clients { try run.exchangeALine(with: client) }
        try server.waitUntilParked()
        trace.inject(.fail(EINTR), at: 1, of: SystemCall.inSelect)
        try run.despiteTheFault("the next select will be interrupted by a signal (EINTR)") {
            () throws(CheckFailure) in
            for client in clients { try run.exchangeALine(with: client) }
            try server.waitUntilParked()
        }
        let calls = trace.events.filter { $0.kind == .call }
        guard let fault = calls.firstIndex(where: { $0.isInjected }) else {
            throw CheckFailure(expected: "a select after the line", found: "none was made")
        }
        let after = calls[(fault + 1)...].prefix { !SystemCall.inSelect.contains($0.number) }
        let blind = after.filter {
            taking.contains($0.number) || SystemCall.accepting.contains($0.number)
        }
        guard blind.isEmpty else {
            let names = blind.map { $0.call.description }.joined(separator: ", ")
            throw CheckFailure(
                expected: "nothing but another select after one that failed",
                found: "\(names), although select had not said that anything was ready",
                cause: "After -1 the sets are what was asked, not what was answered: ask again.")
        }
    }
}
