import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// What is done to a server to see its interest list, and how often it is told of changes.
extension Echo {
    /// Requires an entry for the listener and for each of 20 clients, each with its own `data`.
    func countTheEntries() throws(CheckFailure) {
        let server = try start()
        let clients = try run.connect(server, count: 20)
        for client in clients { try run.exchangeALine(with: client) }
        let list = try server.interestList()
        guard list.count == 21 else {
            throw CheckFailure(
                expected: "21 entries in the interest list: the listener and 20 clients",
                found: "\(list.count): descriptors \(list.map { String($0.descriptor) })")
        }
        guard Set(list.map(\.data)).count == 21 else {
            throw CheckFailure(
                expected: "21 different values of `data`, by which each event is known",
                found: "some are equal: \(list.map { String($0.data) })")
        }
    }

    /// Lets 20 clients leave, and requires that only the listener is watched then.
    func emptyTheList() throws(CheckFailure) {
        let server = try start()
        let clients = try run.connect(server, count: 20)
        for client in clients { try run.exchangeALine(with: client) }
        run.transcript.add("all of them leave, half of them with a reset")
        for (number, client) in clients.enumerated() {
            if number % 2 == 0 { client.reset() } else { client.close() }
        }
        var list: [Interest] = []
        try server.wait(
            for: "an interest list with nothing but the listener"
        ) { () throws(CheckFailure) in
            list = try server.interestList()
            return list.count == 1
        }
        try rest(server)
    }

    /// Requires that a client is watched level-triggered, and more than once.
    func readTheBitsOfAnEntry() throws(CheckFailure) {
        let server = try start()
        let client = try run.connect(server)
        try run.exchangeALine(with: client)
        let entry = try server.entry(of: client)
        for (bit, name, meaning) in [
            (EPOLLET, "EPOLLET", "Edge-triggered is the next exercise."),
            (EPOLLONESHOT, "EPOLLONESHOT", "It costs an epoll_ctl for each event."),
        ] where entry.events & bit.rawValue != 0 {
            throw CheckFailure(
                expected: "an entry without \(name)",
                found: "\(client.name) is watched with it: events "
                    + String(entry.events, radix: 16), cause: meaning)
        }
    }

    /// Follows EPOLLOUT in a client's entry: before, while and after bytes are unsent.
    func watchTheInterestInRoom() throws(CheckFailure) {
        let server = try start()
        let client = try run.connect(server)
        try run.exchangeALine(with: client)
        try server.requireInterestInRoom(of: client, false, "nothing is unsent")
        let slow = try slowReader(server)
        try server.requireInterestInRoom(of: slow.client, true, "bytes are unsent")
        try slow.readAll(run)
        try run.exchangeALine(with: slow.client)
        try server.requireInterestInRoom(of: slow.client, false, "nothing is unsent any more")
    }

    /// Requires that 30 lines need no epoll_ctl.
    func countChangesOfTheList() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try start(trace: trace)
        let clients = try run.connect(server, count: 3)
        for client in clients { try run.exchangeALine(with: client) }
        try server.waitUntilParked()
        let before = trace.calls(SYS_epoll_ctl).count
        run.transcript.add("each of them exchanges ten more lines")
        for _ in 1...10 { for client in clients { try run.exchangeALine(with: client) } }
        try server.waitUntilParked()
        let after = trace.calls(SYS_epoll_ctl).count
        guard after == before else {
            throw CheckFailure(
                expected: "no epoll_ctl for 30 lines: nothing about the list has changed",
                found: counted(after - before, "epoll_ctl"),
                cause: "The kernel keeps the list. Telling it again each time is poll's way.")
        }
    }
}

extension ServerProcess {
    /// Requires that EPOLLOUT is in a client's entry, or that it is not.
    fileprivate func requireInterestInRoom(
        of client: TCPClient, _ wanted: Bool, _ why: String
    ) throws(CheckFailure) {
        let entry = try entry(of: client)
        guard (entry.events & EPOLLOUT.rawValue != 0) != wanted else { return }
        throw CheckFailure(
            expected: "\(client.name) watched \(wanted ? "with" : "without") EPOLLOUT: \(why)",
            found: "its entry has events \(String(entry.events, radix: 16)), "
                + (wanted ? "without EPOLLOUT (4)" : "and EPOLLOUT (4) is among them"),
            cause: wanted
                ? "An entry is changed with EPOLL_CTL_MOD; EPOLL_CTL_ADD fails with EEXIST."
                : "A socket has room nearly always. Who waits for that with nothing to send "
                    + "never waits.")
    }
}
