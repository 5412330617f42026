// SPDX-License-Identifier: MIT

/// What a check says of itself when it is done: the only proof that it has run to its end.
///
/// The grader hands each check a pipe as descriptor 3 and counts nothing as passed that has not
/// written its record there. A test process that crashes, hangs or is made to exit writes none.
public struct CheckRecord: Codable, Equatable, Sendable {
    /// How it came out.
    public enum Outcome: String, Codable, Sendable {
        /// The server does what the check asks.
        case passed
        /// It does not.
        case failed
        /// The exercise is still a stub.
        case unwritten
        /// This machine does not let the harness see what the check is about.
        case notVerified = "not-verified"
        /// The harness or the machine failed.
        case machine
    }

    /// `EXERCISE.testMethod`.
    public let check: String
    /// How it came out.
    public let outcome: Outcome
    /// The whole story of a failure, or a reason; empty for a check that passed.
    public let message: String
    /// What failures of one cause have in common; nil where nothing is known of the cause.
    public let cause: String?

    /// A record of one check.
    public init(check: String, outcome: Outcome, message: String, cause: String? = nil) {
        self.check = check
        self.outcome = outcome
        self.message = message
        self.cause = cause
    }
}
