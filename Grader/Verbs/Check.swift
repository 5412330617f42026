// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
import Reports

extension Verb {
    static let check = Verb(
        name: "check", about: "build and judge your own work", words: "[EXERCISE…]",
        run: checkOwnWork)
}

/// Judges the learner's own work where it stands.
@Sendable private func checkOwnWork(_ arguments: Arguments) throws -> ExitCode {
    let wanted = try exercises(arguments.words)
    let tree = try CourseTree()
    let progress = Progress(wanted.count)
    let judge = try Judge(tree, events: progress.show)
    let reports = try wanted.map { exercise in
        let report = try judge.judgeOwnWork(exercise)
        // At once, so that what is judged before an interruption is kept.
        try Verdicts(tree).remember(report)
        return report
    }
    progress.end()
    let report = Report(submission: ".", exercises: reports, environment: .current)
    Terminal.write(TextReport(report: report, terminal: .output).text, to: 1)
    if report.hasGraderError { return .machine }
    return reports.allSatisfy { $0.status == .passed } ? .done : .below
}
