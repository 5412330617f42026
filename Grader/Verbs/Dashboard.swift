// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
import Reports

/// `grader`: what has been done, and what comes next.
func dashboard() throws -> ExitCode {
    let verdicts = try Verdicts(CourseTree()).all
    let terminal = Terminal.output
    for chapter in Course.chapters {
        print(terminal.paint("\(chapter.id)  \(chapter.title)", .bold))
        for exercise in chapter.exercises { print(row(exercise, verdicts[exercise.id], terminal)) }
    }
    let next = Course.exercises.first { verdicts[$0.id]?.status != .passed }
    guard let next else {
        print("\nEverything is done. `grader grade .` prints the whole table.")
        return .done
    }
    print(
        """

        Next: \(next.id), \(next.title.prefix(1).lowercased() + next.title.dropFirst())
          read   \(next.reading)
          write  Exercises/\(next.path)/Server.swift
          check  swift run grader check \(next.id)
        """)
    return .done
}

private func row(_ exercise: Exercise, _ verdict: ExerciseReport?, _ terminal: Terminal) -> String {
    let name = pad(exercise.id, 24)
    guard let verdict else { return "  · \(name)not checked yet" }
    switch verdict.status {
    case .passed:
        return "  \(terminal.paint("✓", .green)) \(name)\(verdict.score)/\(verdict.maxScore) points"
    case .failed, .buildFailed:
        let points = "\(verdict.score)/\(verdict.maxScore) points"
        return "  \(terminal.paint("✗", .red)) \(name)\(points), \(verdict.status.rawValue)"
    case .notStarted, .missing: return "  · \(name)\(verdict.status.rawValue)"
    }
}
