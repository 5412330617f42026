// SPDX-License-Identifier: MIT

import Harness

/// What most likely led to a failure, as its evidence shows it.
package struct Cause: Equatable, Sendable {
    /// What failures of one cause have in common, whatever descriptor or client they were found on.
    package let key: String
    /// One or two sentences for the learner.
    package let text: String

    init(_ key: String, _ text: String) { (self.key, self.text) = (key, text) }
}

/// A rule that looks at the evidence of a failure. It speaks only if what it has seen can have no
/// other cause: no cause is better than a false one.
package struct CauseRule: Sendable {
    /// What it recognizes, for a maintainer.
    package let name: String
    /// What it says of the evidence; nil if that does not fit.
    package let cause: @Sendable (Evidence) -> Cause?

    init(_ name: String, _ cause: @escaping @Sendable (Evidence) -> Cause?) {
        (self.name, self.cause) = (name, cause)
    }

    /// All rules, in the order in which they are tried: what explains most comes first.
    package static let all: [CauseRule] = [
        CauseRule("a descriptor closed twice, or used after its close", \.usedAfterClose),
        CauseRule("ended by a signal", \.endedBySignal),
        CauseRule("ended after a call that failed", \.endedAfterFailedCall),
        CauseRule("ended after a read that gave 0", \.endedAtZero),
        CauseRule("ended without a reason", \.endedWithoutReason),
        CauseRule("an option of a socket", \.socketOption),
        CauseRule("a call that failed and was not made again", \.notMadeAgain),
        CauseRule("a write that took a part", \.restNotWritten),
        CauseRule("a call that repeats", \.spin),
        CauseRule("a thread that waits for another thread", \.waitsForThread),
        CauseRule("two threads on one descriptor", \.sharedDescriptor),
        CauseRule("other bytes than were sent", \.changedBytes),
        CauseRule("a datagram that was not answered", \.unansweredDatagram),
        CauseRule("a client that nobody accepts", \.unacceptedClient),
        CauseRule("a lock that nobody known holds", \.waitsForSomebody),
        CauseRule("bytes that nobody reads", \.unreadBytes),
        CauseRule("bytes that are kept back", \.keptBytes),
        CauseRule("a connection that was closed too early", \.closedEarly),
        CauseRule("sockets that nobody closes", \.leftOpen),
        CauseRule("another call than the model's", \.waitsElsewhere),
    ]
}

extension Evidence {
    /// What the first rule says that fits.
    package var likelyCause: Cause? { CauseRule.all.lazy.compactMap { $0.cause(self) }.first }
}
