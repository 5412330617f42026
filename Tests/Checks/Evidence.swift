// SPDX-License-Identifier: MIT

import CLinux
import Glibc
package import Harness

/// Everything that is known of a failure: the facts that the rules look at.
package struct Evidence: Sendable {
    /// What should have been and what was.
    package let failure: CheckFailure
    /// What the kernel said of the server.
    package let facts: ServerFacts
    /// Whether the exercise's model asks the kernel again and again, as in chapter 2.
    package let asksAgainAndAgain: Bool
    /// The server's calls from its announcement up to the failure.
    let calls: [TraceEvent]
    /// Its calls before that.
    let setup: [TraceEvent]

    /// The evidence of a failure.
    package init(_ failure: CheckFailure, _ facts: ServerFacts, asksAgainAndAgain: Bool = false) {
        self.failure = failure
        self.facts = facts
        self.asksAgainAndAgain = asksAgainAndAgain
        let all = facts.history.filter { $0.kind == .call && $0.start <= failure.moment }
        let announcement =
            all.firstIndex { $0.writesToAStream && $0.call.descriptor == STDOUT_FILENO } ?? -1
        calls = all.dropFirst(announcement + 1).filter { !$0.writesToAStream }
        setup = Array(all.prefix(max(announcement, 0)))
    }

    var exchange: Exchange? { failure.exchange }
    /// How the server ended, unless it had been told to.
    var end: ExitStatus? { facts.mayEnd ? nil : facts.end }
    /// What was seen while the clients were still there; nothing otherwise.
    var threads: [ServerFacts.Thread] { facts.isAfterwards ? [] : facts.threads }
    var sockets: [SocketFacts] { facts.isAfterwards ? [] : facts.sockets }

    /// The socket that belongs to the client whose exchange failed.
    var clientsSocket: SocketFacts? {
        exchange.flatMap { exchange in sockets.first { $0.client == exchange.client } }
    }

    /// The name of the client that a descriptor belonged to at a call: that of the accept before it.
    /// The backlog is a queue, so the n-th accept takes the n-th client.
    func client(of descriptor: CInt, before index: Int) -> String? {
        let accepts = calls.indices.filter { calls[$0].isAccept && calls[$0].hasSucceeded }
        guard
            let number = accepts.lastIndex(where: {
                $0 < index && calls[$0].result == Int(descriptor)
            }), number < facts.clients.count
        else { return nil }
        return facts.clients[number]
    }

    /// The last accept that gave the descriptor on which the client's exchange runs.
    var clientsAccept: Int? {
        guard let exchange, let number = facts.clients.firstIndex(of: exchange.client) else {
            return nil
        }
        let accepts = calls.indices.filter { calls[$0].isAccept && calls[$0].hasSucceeded }
        return number < accepts.count ? accepts[number] : nil
    }

    /// The calls on the descriptor of the client whose exchange failed, from its accept to the close.
    var clientsCalls: [TraceEvent] {
        guard let start = clientsAccept, let descriptor = calls[start].result else { return [] }
        let rest = calls[(start + 1)...].filter { $0.call.isOn(CInt(descriptor)) }
        let end = rest.firstIndex { $0.isClose } ?? rest.count - 1
        return rest.isEmpty ? [] : Array(rest[...end])
    }
}

extension SystemCall {
    /// Whether its first argument is this descriptor.
    func isOn(_ descriptor: CInt) -> Bool {
        row?.takesDescriptor == true && self.descriptor == descriptor
    }
}

extension TraceEvent {
    var isAccept: Bool { call.row?.kind == .accepting }
    var isReading: Bool { [.reading, .readingMany].contains(call.row?.kind) }
    var isWriting: Bool { [.writing, .writingMany].contains(call.row?.kind) }
    var isClose: Bool { number == SYS_close }
    var hasSucceeded: Bool { result.map { $0 >= 0 } ?? false }
    /// Its error number; nil if it has none.
    var reason: CInt? { result.flatMap { $0 < 0 ? CInt(clamping: -$0) : nil } }
    /// How many bytes it was to copy, if one argument says so.
    var asks: Int? { call.row?.count.map { Int(clamping: arguments[$0]) } }

    /// As the story tells it: `close(7)`.
    var words: String { question }
}
