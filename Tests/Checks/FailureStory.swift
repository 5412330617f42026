// SPDX-License-Identifier: MIT

package import Harness
package import Registry

/// Tells a failure to the learner: what the check is about, what was done, what should have come
/// and what came, what the server was doing, what the likely cause is, how to see it again.
package struct FailureStory {
    private let exercise: Exercise
    private let check: Check
    private let suite: String
    private let seed: UInt64

    /// The story of a check.
    /// - Parameters:
    ///   - suite: The class of the test method, for the command that plays it again.
    ///   - seed: Where the run's random numbers came from.
    package init(exercise: Exercise, check: Check, suite: String, seed: UInt64) {
        self.exercise = exercise
        self.check = check
        self.suite = suite
        self.seed = seed
    }

    /// How a check came out that has not passed, and what is known of it.
    package struct Outcome {
        package let failure: CheckFailure
        /// What was done.
        package var steps = ""
        /// What the servers were doing, when it failed or afterwards.
        package var server: [String] = []
        /// What the evidence says of the cause.
        package var cause: Cause?

        /// A failure of which nothing more is known.
        package init(_ failure: CheckFailure) { self.failure = failure }

        /// A failure, and what the kernel and the trace of its run say of it.
        package init(_ failure: CheckFailure, of run: CheckRun, _ exercise: Exercise) {
            self.failure = failure
            steps = run.transcript.text
            server = run.aftermath(of: failure.moment)
            let evidence = Evidence(
                failure, failure.facts ?? run.factsAfterwards,
                asksAgainAndAgain: exercise.model.polls)
            if failure.kind == .failed { cause = evidence.likelyCause }
        }
    }

    /// The record of a run; `outcome` is nil for a check that has passed.
    package func record(of outcome: Outcome?) -> CheckRecord {
        let id = exercise.checkID(check)
        guard let outcome else { return CheckRecord(check: id, outcome: .passed, message: "") }
        let found = outcome.failure.found
        switch outcome.failure.kind {
        case .failed:
            return CheckRecord(
                check: id, outcome: .failed, message: text(of: outcome), cause: outcome.cause?.key)
        case .unwritten: return CheckRecord(check: id, outcome: .unwritten, message: found)
        case .notVerified: return CheckRecord(check: id, outcome: .notVerified, message: found)
        case .machine: return CheckRecord(check: id, outcome: .machine, message: found)
        }
    }

    private func text(of outcome: Outcome) -> String {
        let failure = outcome.failure
        return [
            check.title,
            section("What was done", outcome.steps),
            section("Expected", failure.expected),
            section("What came", failure.found),
            section("The server, afterwards", news(outcome).joined(separator: "\n")),
            section("Likely cause", causes(outcome).joined(separator: "\n")),
            section("Common cause", check.hint),
            "  Read: \(exercise.reading)",
            "  Again: WORKBOOK_SEED=\(seed) swift test --filter \(suite)/\(check.method)",
        ].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// What the failure itself says of the server need not be said twice; and what the server did when
    /// the check had closed its clients contradicts what it did while they were there.
    private func news(_ outcome: Outcome) -> [String] {
        let found = outcome.failure.found
        let isToldAlready =
            found.contains("The server's ") || found.contains("the server was ended")
        return outcome.server.filter {
            !found.contains($0) && !(isToldAlready && $0.hasPrefix("The server's "))
        }
    }

    /// What the evidence says, then what the check itself says. Of a server that has ended the evidence
    /// says the same and more.
    private func causes(_ outcome: Outcome) -> [String] {
        let own = outcome.failure.cause
        guard let cause = outcome.cause else { return [own].compactMap { $0 } }
        let isSaid = outcome.failure.facts?.end != nil || own == check.hint
        return [cause.text] + (isSaid ? [] : [own].compactMap { $0 })
    }

    private func section(_ title: String, _ text: String) -> String {
        if text.isEmpty { return "" }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.count == 1 { return "  \(title): \(text)" }
        return "  \(title):\n" + lines.map { "    \($0)" }.joined(separator: "\n")
    }
}
