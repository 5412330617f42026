// SPDX-License-Identifier: MIT

import Harness
public import Registry
public import Reports

/// The whole way of a submission, stage after stage, one exercise at a time.
public struct Judge {
    /// What happens while it works.
    public enum Event: Sendable {
        /// The suites are being built.
        case buildingSuites
        /// An exercise is being built.
        case building(Exercise)
        /// A check has been done.
        case checked(Exercise, CheckReport)
        /// An exercise has been judged.
        case judged(ExerciseReport)
    }

    private let tree: CourseTree
    private let events: (Event) -> Void

    /// Builds the suites, which every examination needs.
    /// - Throws: `MachineFailure` when they cannot be built.
    public init(_ tree: CourseTree, events: @escaping (Event) -> Void) throws {
        self.tree = tree
        self.events = events
        events(.buildingSuites)
        try tree.buildSuites()
    }

    /// Judges an exercise as it stands in the learner's own tree.
    /// - Throws: `MachineFailure` when the fault is not the learner's.
    public func judgeOwnWork(_ exercise: Exercise) throws -> ExerciseReport {
        let report =
            try build(exercise, in: tree.root, ignored: []) ?? examine(exercise, "exercises")
        events(.judged(report))
        return report
    }

    /// Judges what a submission holds of an exercise.
    /// - Parameter method: Runs this check and those that it rests on, and no other; nil for all.
    /// - Throws: `MachineFailure` when the fault is not the learner's.
    public func judge(
        _ exercise: Exercise, _ parcel: Intake.Parcel, in workspace: Workspace,
        upTo method: String? = nil
    ) throws -> ExerciseReport {
        let report: ExerciseReport
        switch parcel {
        case .missing:
            report = ExerciseReport(
                exercise, unjudged: .missing,
                message: "The submission has no \(exercise.path)/Server.swift.")
        case .refused(let reason):
            report = ExerciseReport(exercise, unjudged: .buildFailed, message: reason)
        case .files(let files, let ignored):
            try workspace.lay(files, for: exercise)
            let others = ignored.filter { !directory(tree.folder(of: exercise)).contains($0) }
            report =
                try build(exercise, in: workspace.root, ignored: others)
                ?? examine(exercise, workspace.root + "/.build/debug", upTo: method)
        }
        events(.judged(report))
        return report
    }

    /// Examines once more what was built last. For measuring how often a verdict changes.
    public func examineAgain(
        _ exercise: Exercise, in workspace: Workspace, upTo method: String? = nil
    ) -> ExerciseReport {
        examine(exercise, workspace.root + "/.build/debug", upTo: method)
    }

    /// Nil when the exercise is built; otherwise the report that says why it is not.
    private func build(
        _ exercise: Exercise, in package: String, ignored: [String]
    ) throws -> ExerciseReport? {
        events(.building(exercise))
        switch try Build(tree: tree, package: package).run(exercise) {
        case .built: return nil
        case .failed(var errors):
            if !ignored.isEmpty {
                errors +=
                    "\nOnly \(exercise.learnerFiles.joined(separator: ", ")) is taken from a "
                    + "submission; left out: \(ignored.joined(separator: ", "))."
            }
            return ExerciseReport(exercise, unjudged: .buildFailed, message: errors)
        }
    }

    private func examine(
        _ exercise: Exercise, _ subject: String, upTo method: String? = nil
    ) -> ExerciseReport {
        let checks = method.map(exercise.checks(upTo:)) ?? exercise.checks
        return Examination(
            exercise: exercise, suites: tree.suites, subject: subject, checks: checks
        ).run { events(.checked(exercise, $0)) }
    }
}
