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

    /// The record of a run.
    /// - Parameters:
    ///   - failure: What did not go well; nil for a check that has passed.
    ///   - steps: What was done.
    ///   - after: What the servers were doing when it was over.
    package func record(of failure: CheckFailure?, steps: String, after: [String]) -> CheckRecord {
        let id = exercise.checkID(check)
        guard let failure else { return CheckRecord(check: id, outcome: .passed, message: "") }
        switch failure.kind {
        case .failed:
            let text = text(of: failure, steps: steps, after: after)
            return CheckRecord(check: id, outcome: .failed, message: text)
        case .unwritten:
            return CheckRecord(check: id, outcome: .unwritten, message: failure.found)
        case .notVerified:
            return CheckRecord(check: id, outcome: .notVerified, message: failure.found)
        case .machine:
            return CheckRecord(check: id, outcome: .machine, message: failure.found)
        }
    }

    private func text(of failure: CheckFailure, steps: String, after: [String]) -> String {
        // What the failure itself says of the server need not be said twice.
        let news = after.filter { !failure.found.contains($0) }
        return [
            check.title,
            section("What was done", steps),
            section("Expected", failure.expected),
            section("What came", failure.found),
            section("The server, afterwards", news.joined(separator: "\n")),
            section("Likely cause", failure.cause ?? ""),
            section("Common cause", check.hint),
            "  Read: \(exercise.reading)",
            "  Again: WORKBOOK_SEED=\(seed) swift test --filter \(suite)/\(check.method)",
        ].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func section(_ title: String, _ text: String) -> String {
        if text.isEmpty { return "" }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.count == 1 { return "  \(title): \(text)" }
        return "  \(title):\n" + lines.map { "    \($0)" }.joined(separator: "\n")
    }
}
