// SPDX-License-Identifier: MIT

import Foundation
package import Pipeline
package import Registry
package import Reports

/// A submission that judges the suites: its verdict is known beforehand.
package struct Trial {
    /// What the suites must make of it.
    package enum Kind: String {
        /// A stub: not started.
        case stub
        /// The reference: full marks.
        case solution
        /// A correct submission that is written another way: full marks.
        case right = "Right"
        /// A submission with one mistake: fails the check that it names.
        case wrong = "Wrong"
        /// An attack on the grader: is stopped, and leaves nothing behind.
        case hostile = "Hostile"
    }

    package let kind: Kind
    package let exercise: Exercise
    package let name: String
    /// What is judged.
    package let parcel: Intake.Parcel
    /// The method of the check that must fail; empty for those that pass.
    package let caughtBy: String
    /// What the failure must say of what was expected, of what came or of the cause, so that it fails
    /// for the right reason.
    package let says: String
    /// What the first message of the whole grading must say, so that a learner reads the cause; nil where
    /// nobody has said it yet.
    package let cause: String?

    /// How often it is judged when the correct ones are judged `runs` times. A flake shows itself where
    /// something must pass; what must fail often waits for its deadline, and is judged a tenth as often.
    package func repetitions(of runs: Int) -> Int {
        kind == .solution || kind == .right ? runs : max(1, runs / 10)
    }

    /// The Server.swift of the trial.
    package var text: String {
        guard case .files(let files, _) = parcel else { return "" }
        return String(decoding: files["Server.swift"] ?? Data(), as: UTF8.self)
    }

    /// A submission whose verdict is known.
    package init(
        _ kind: Kind, _ exercise: Exercise, _ name: String, _ parcel: Intake.Parcel,
        caughtBy: String = "", says: String = "", cause: String? = nil
    ) {
        self.kind = kind
        self.exercise = exercise
        self.name = name
        self.parcel = parcel
        self.caughtBy = caughtBy
        self.says = says
        self.cause = cause
    }

    /// Whether the first message of a whole grading names the cause; nil for a trial that says none.
    package func namesCause(_ report: ExerciseReport) -> Bool? {
        guard let cause else { return nil }
        guard let first = report.explanations.first?.told else { return false }
        return evidence(of: first).lowercased().contains(cause.lowercased())
    }

    /// Whether the suites have made of it what they must.
    package func judge(_ report: ExerciseReport) -> Verdict {
        switch kind {
        case .stub: return report.status == .notStarted ? .right : .unexpected
        case .solution, .right:
            let good = report.status == .passed && report.score == report.maxScore
            return good ? .right : .falseReject
        case .wrong, .hostile:
            let check = report.checks.first { $0.id == "\(exercise.id).\(caughtBy)" }
            guard let check, check.status != .passed, report.score < report.maxScore else {
                return .falseAccept
            }
            return evidence(of: check).contains(says) ? .right : .otherReason
        }
    }

    /// What a failure says of what was expected and of what came. Its title, its steps and its hint
    /// are printed whatever came, so they prove nothing.
    private func evidence(of check: CheckReport) -> String {
        let story = check.message.components(separatedBy: "\n  Expected:").last ?? ""
        let told = story.components(separatedBy: "\n  Read: ").first ?? ""
        return told.replacing(check.hint, with: "").replacing(check.title, with: "")
    }

    /// What a run has shown about the suites.
    package enum Verdict: String {
        /// The suites judged as they must.
        case right = "as it must"
        /// A mistake was not seen.
        case falseAccept = "FALSE ACCEPT"
        /// A correct submission did not get full marks.
        case falseReject = "FALSE REJECT"
        /// The check failed, but its message does not say what the mistake is.
        case otherReason = "FAILED FOR ANOTHER REASON"
        /// A stub was not taken for one.
        case unexpected = "UNEXPECTED"
    }
}
