// SPDX-License-Identifier: MIT

/// What one client had sent and what came back, when that was not what should have come.
package struct Exchange: Equatable, Sendable {
    /// How it stands with what is missing.
    package enum Outcome: Equatable, Sendable {
        /// It has not come.
        case waiting
        /// The connection has ended in order, or by a reset.
        case ended, reset
        /// Something else has come.
        case changed
    }

    /// Bytes that a client has sent, and its name.
    package struct Sent: Equatable, Sendable {
        package let client: String
        package let bytes: [UInt8]

        package init(_ client: String, _ bytes: [UInt8]) {
            (self.client, self.bytes) = (client, bytes)
        }
    }

    package let client: String
    package let isDatagram: Bool
    /// The bytes that should come back.
    package let expected: [UInt8]
    /// Those that came; of much, as far as they were looked at.
    package let received: [UInt8]
    package let outcome: Outcome
    /// What this client and all others have sent to the server, the last ones.
    package var sent: [Sent] = []

    package init(
        _ client: String, isDatagram: Bool, expected: [UInt8], received: [UInt8], _ outcome: Outcome
    ) {
        (self.client, self.isDatagram, self.expected) = (client, isDatagram, expected)
        (self.received, self.outcome) = (received, outcome)
    }
}

extension ServerProcess {
    private static let mostSent = 512

    /// Takes note of what a client sends.
    func take(_ bytes: [UInt8], from client: String) {
        if sent.count == Self.mostSent { sent.removeFirst() }
        sent.append(Exchange.Sent(client, bytes))
    }

    /// The failure with what the client sees of it.
    func explain(_ failure: CheckFailure, _ exchange: Exchange) -> CheckFailure {
        var failure = failure
        failure.exchange = exchange
        failure.exchange?.sent = sent
        if failure.facts == nil { failure.facts = facts() }
        return failure
    }
}
