// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
import Reports

/// Says on standard error what the grader is doing: on a terminal in one line that changes,
/// elsewhere in a line for each exercise.
final class Progress {
    private let isTerminal = isatty(2) == 1
    private var done = 0

    func show(_ event: Judge.Event) {
        switch event {
        case .buildingSuites: status("building the suites")
        case .building(let exercise):
            done = 0
            status("\(exercise.id): building")
        case .checked(let exercise, _):
            done += 1
            if isTerminal { status("\(exercise.id): \(done) of \(exercise.checks.count) checks") }
        case .judged(let report):
            if !isTerminal { status("\(report.id): \(report.status.rawValue)") }
        }
    }

    /// Takes the changing line away.
    func end() { if isTerminal { Terminal.write("\r\u{1b}[K", to: 2) } }

    private func status(_ text: String) {
        Terminal.write(isTerminal ? "\r\u{1b}[K\(text) …" : "\(text)\n", to: 2)
    }
}
