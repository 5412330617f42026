// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Registry

/// A report as a person reads it: a table, then what did not pass, with its story.
package struct TextReport {
    private let report: Report
    private let terminal: Terminal

    /// The text of a report, coloured where the terminal takes colours.
    package init(report: Report, terminal: Terminal) {
        self.report = report
        self.terminal = terminal
    }

    /// The whole of it.
    package var text: String {
        var parts: [String] = []
        for chapter in Course.chapters {
            let exercises = report.exercises.filter { $0.chapter == chapter.id }
            if exercises.isEmpty { continue }
            parts.append(terminal.paint("\(chapter.id)  \(chapter.title)", .bold))
            parts += exercises.map(row)
            parts.append("")
        }
        for exercise in report.exercises { parts += stories(exercise) }
        parts.append(total)
        return parts.joined(separator: "\n") + "\n"
    }

    private func row(_ exercise: ExerciseReport) -> String {
        let (mark, colour) = look(of: exercise.status)
        let passed = exercise.checks.filter { $0.status == .passed }.count
        let columns = [
            pad(exercise.id, 24), pad(exercise.status.rawValue, 14),
            pad("\(passed)/\(exercise.checks.count) checks", 14),
            "\(exercise.score)/\(exercise.maxScore) points",
        ]
        return "  \(terminal.paint(mark, colour)) \(columns.joined())"
    }

    private func stories(_ exercise: ExerciseReport) -> [String] {
        var lines: [String] = []
        if let message = exercise.message, exercise.status != .notStarted {
            lines += [terminal.paint(exercise.id, .bold), indent(message, 4), ""]
        }
        let open = exercise.checks.filter { $0.status != .passed }
        if exercise.message == nil, !open.isEmpty {
            lines.append(terminal.paint(exercise.id, .bold))
            for explanation in exercise.explanations { lines += [story(explanation), ""] }
            lines += notRun(open)
        }
        return lines
    }

    /// The checks that were not run, told once for each check that they rest on.
    private func notRun(_ checks: [CheckReport]) -> [String] {
        var reasons: [String] = []
        for check in checks where check.status == .notRun && !reasons.contains(check.message) {
            reasons.append(check.message)
        }
        let lines = reasons.map { reason in
            let count = checks.filter { $0.status == .notRun && $0.message == reason }.count
            return "  – \(counted(count, "check")) not run. \(reason)"
        }
        return lines.isEmpty ? [] : lines + [""]
    }

    /// One cause: the story of its first check, and the names of the others that it explains.
    private func story(_ explanation: Explanation) -> String {
        let check = explanation.told
        let message = check.message.isEmpty ? check.title : check.message
        var lines = [head(check), indent(message, 4)]
        if !explanation.others.isEmpty {
            let count = explanation.others.count
            lines.append(
                "    The same cause explains \(counted(count, "more check")) that failed:")
            lines += explanation.others.map { "    \(head($0)): \($0.title)" }
        }
        return lines.joined(separator: "\n")
    }

    private func head(_ check: CheckReport) -> String {
        let mark = terminal.paint(check.status == .notVerified ? "?" : "✗", .red)
        return "  \(mark) \(check.id) (\(check.status.rawValue))"
    }

    private var total: String {
        let unverified = report.exercises.flatMap(\.checks).filter { $0.status == .notVerified }
        let share = String(format: "%.0f", report.percent)
        var line = "Score: \(report.score)/\(report.maxScore) points (\(share) %)"
        if !unverified.isEmpty {
            let points = unverified.reduce(0) { $0 + $1.maxScore }
            line += "; \(points) points could not be verified on this machine and do not count"
        }
        return terminal.paint(line, .bold)
    }

    private func look(of status: ExerciseReport.Status) -> (String, Terminal.Colour) {
        switch status {
        case .passed: ("✓", .green)
        case .failed, .buildFailed: ("✗", .red)
        case .notStarted, .missing: ("·", .faint)
        }
    }

    private func indent(_ text: String, _ count: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
    }
}

/// The text and as many spaces as make it `width` wide; one space at least.
package func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}
