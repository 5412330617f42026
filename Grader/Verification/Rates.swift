// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
package import Reports

/// A trial and all its runs.
package struct Outcome {
    package let trial: Trial
    package let reports: [ExerciseReport]

    /// A trial, and the report of each run.
    package init(trial: Trial, reports: [ExerciseReport]) {
        self.trial = trial
        self.reports = reports
    }

    /// The runs that came out another way than they must.
    package var missed: [ExerciseReport] { reports.filter { trial.judge($0) != .right } }

    /// What was wrong in any run, or that nothing was. Of a Wrong submission most runs decide: its
    /// mistake may itself be a race, which not every run loses. The rates count each run.
    package var verdict: Trial.Verdict {
        if trial.kind == .wrong, missed.count * 2 < reports.count { return .right }
        return missed.first.map(trial.judge) ?? .right
    }

    /// The methods of the checks that did not pass in the first run, without those that were not
    /// run.
    package var failed: [String] {
        (reports.first?.checks ?? []).filter { $0.status != .passed && $0.status != .notRun }
            .map { String($0.id.dropFirst(trial.exercise.id.count + 1)) }
    }

    /// The checks whose status was not the same in every run of a correct submission.
    package var flaky: [String] {
        guard trial.kind == .solution || trial.kind == .right else { return [] }
        return trial.exercise.checks.map(trial.exercise.checkID).filter { id in
            Set(reports.map { $0.checks.first { $0.id == id }?.status }).count > 1
        }
    }
}

/// How often the suites are mistaken.
package struct Rates {
    package let outcomes: [Outcome]
    package let isUnderLoad: Bool
    /// Whether all checks were run of a mistake, not only those that must see it.
    package let isWhole: Bool

    /// The rates of what has been judged.
    package init(outcomes: [Outcome], isUnderLoad: Bool, isWhole: Bool) {
        self.isWhole = isWhole
        self.outcomes = outcomes
        self.isUnderLoad = isUnderLoad
    }

    private func count(_ kinds: [Trial.Kind]) -> Int {
        outcomes.filter { kinds.contains($0.trial.kind) }.reduce(0) { $0 + $1.reports.count }
    }

    private func count(_ verdict: Trial.Verdict) -> Int {
        outcomes.reduce(0) { sum, outcome in
            sum + outcome.reports.filter { outcome.trial.judge($0) == verdict }.count
        }
    }

    private var checkRuns: Int {
        outcomes.flatMap(\.reports).flatMap(\.checks).filter { $0.status != .notRun }.count
    }

    /// The check and its submissions, for every trial in which a check was not always the same.
    package var flakes: [String] {
        outcomes.flatMap { outcome in
            outcome.flaky.map { "\($0) on \(outcome.trial.kind.rawValue) \(outcome.trial.name)" }
        }
    }

    /// Hidden checks that no Wrong submission fails: nothing proves that they can fail.
    package var unproven: [String] {
        judged.flatMap { exercise in
            let named = outcomes.filter { $0.trial.exercise.id == exercise.id }
                .filter { $0.trial.kind == .wrong && $0.verdict == .right }.map(\.trial.caughtBy)
            return exercise.checks.filter { $0.visibility == .hidden && !named.contains($0.method) }
                .map(exercise.checkID)
        }
    }

    /// Hidden checks without a Wrong submission that they alone catch.
    package var neverAlone: [String] {
        if !isWhole { return [] }
        return judged.flatMap { exercise in
            let alone = outcomes.filter { $0.trial.exercise.id == exercise.id }
                .filter { $0.trial.kind == .wrong && $0.failed.count == 1 }.flatMap(\.failed)
            return exercise.checks.filter { $0.visibility == .hidden && !alone.contains($0.method) }
                .map(exercise.checkID)
        }
    }

    private var judged: [Exercise] {
        let ids = Set(outcomes.map(\.trial.exercise.id))
        return Course.exercises.filter { ids.contains($0.id) }
    }

    /// Mistakes that say their cause, and whose first message does not. Only a whole grading can tell.
    package var unnamed: [Outcome] {
        isWhole ? outcomes.filter { namesCause($0) == false } : []
    }

    private func namesCause(_ outcome: Outcome) -> Bool? {
        outcome.reports.first.flatMap(outcome.trial.namesCause)
    }

    /// How many of the mistakes that say their cause have a first message that names it.
    package var causes: String {
        let all = outcomes.filter { $0.trial.cause != nil }
        return "causes named: \(all.count - unnamed.count) of \(all.count) edits that say one"
    }

    /// Whether everything came out as it must.
    package var areClean: Bool {
        outcomes.allSatisfy { $0.verdict == .right } && flakes.isEmpty && unproven.isEmpty
    }

    /// The rates as Markdown, as the README quotes them.
    package var markdown: String {
        let part = isWhole ? "" : ", each Wrong one by its own check and those that it rests on"
        let load = isUnderLoad ? ", with two processes beside them that never rest" : ""
        return """
            | | of | measured |
            |---|---|---|
            | false accepts (a wrong submission passes its check) | \
            \(count([.wrong, .hostile])) | \(count(.falseAccept)) |
            | false rejects (a right submission loses a point) | \
            \(count([.solution, .right])) | \(count(.falseReject)) |
            | failures for another reason than the mistake | \
            \(count([.wrong, .hostile])) | \(count(.otherReason)) |
            | flakes (a check's verdict changes between runs) | \
            \(checkRuns) | \(flakes.count) |
            \(causesRow)
            \(tally(.solution)) and \(tally(.right)) were judged \(times(.right)), \
            \(tally(.stub)), \(tally(.wrong)) and \(tally(.hostile)) \(times(.wrong))\(part)\(load).

            """
    }

    private var causesRow: String {
        guard isWhole else { return "" }
        let all = outcomes.filter { $0.trial.cause != nil }.count
        return "| causes named (the first message of a mistake's grading says its cause) "
            + "| \(all) | \(all - unnamed.count) |\n"
    }

    private func times(_ kind: Trial.Kind) -> String {
        let count = outcomes.first { $0.trial.kind == kind }?.reports.count ?? 0
        return count == 1 ? "once" : "\(count) times"
    }

    private func tally(_ kind: Trial.Kind) -> String {
        let count = outcomes.filter { $0.trial.kind == kind }.count
        let noun = kind == .stub || kind == .solution ? "\(kind.rawValue)s" : kind.rawValue
        return "\(count) \(noun)"
    }
}
