// SPDX-License-Identifier: MIT

/// Why a check did not pass.
public struct CheckFailure: Error, Equatable {
    /// Whose doing it is.
    public enum Kind: Equatable, Sendable {
        /// The server did something wrong.
        case failed
        /// The exercise is still a stub: it exited with status 69.
        case unwritten
        /// This machine does not let the harness see what the check is about.
        case notVerified
        /// The harness or the machine is at fault, never the learner.
        case machine
    }

    /// Whose doing it is.
    public let kind: Kind
    /// What should have been, as a sentence or as bytes; may have several lines.
    public let expected: String
    /// What was instead.
    public let found: String
    /// What most likely led to it, as far as the check that failed can tell.
    public let cause: String?
    /// When it was found, in nanoseconds of the monotonic clock: what its server did later is no part
    /// of it.
    package let moment = Deadline.nanoseconds()
    /// What the kernel said of the server at that moment; nil when nobody has asked.
    package var facts: ServerFacts?
    /// What a client had sent and got, if that is what failed.
    package var exchange: Exchange?

    /// The server did something wrong.
    public init(expected: String, found: String, cause: String? = nil) {
        self.init(kind: .failed, expected: expected, found: found, cause: cause)
    }

    /// The same failure in other words: what was seen of the server stays.
    public func retold(
        expected: String? = nil, found: String? = nil, cause: String? = nil
    ) -> CheckFailure {
        var failure = CheckFailure(
            kind: kind, expected: expected ?? self.expected, found: found ?? self.found,
            cause: cause)
        (failure.facts, failure.exchange) = (facts, exchange)
        return failure
    }

    /// Two failures are equal that say the same.
    public static func == (first: CheckFailure, second: CheckFailure) -> Bool {
        (first.kind, first.expected, first.found, first.cause)
            == (second.kind, second.expected, second.found, second.cause)
    }

    /// This machine cannot tell, for a reason given as a sentence.
    public static func notVerified(_ reason: String) -> CheckFailure {
        CheckFailure(kind: .notVerified, expected: "", found: reason, cause: nil)
    }

    /// The harness could not do its part, for a reason given as a sentence.
    public static func machine(_ reason: String) -> CheckFailure {
        CheckFailure(kind: .machine, expected: "", found: reason, cause: nil)
    }

    /// The server is still a stub; `message` is what it said.
    static func unwritten(_ message: String) -> CheckFailure {
        CheckFailure(kind: .unwritten, expected: "", found: message, cause: nil)
    }

    private init(kind: Kind, expected: String, found: String, cause: String?) {
        self.kind = kind
        self.expected = expected
        self.found = found
        self.cause = cause
    }
}
