// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
import Reports

/// Says on standard error what the grader is doing: on a terminal in one line that moves, with how
/// far it is and how long it has taken; elsewhere in a line for each exercise.
final class Progress {
    private let isTerminal = isatty(2) == 1
    private let start = Date()
    private let count: Int
    private var judged = 0
    private var checks = 0

    /// Progress through so many exercises or mutants.
    init(_ count: Int) { self.count = count }

    func show(_ event: Judge.Event) {
        switch event {
        case .buildingSuites: status("building the suites")
        case .building(let exercise):
            checks = 0
            status("\(exercise.id): building")
        case .checked(let exercise, _):
            checks += 1
            if isTerminal { status("\(exercise.id): check \(checks) of \(exercise.checks.count)") }
        case .judged(let report):
            judged += 1
            if !isTerminal { status("\(report.id): \(report.status.rawValue)") }
        }
    }

    /// Says that one more is done, where lines can move.
    func advance(_ text: String) {
        judged += 1
        if isTerminal { status(text) }
    }

    /// Says what is being done.
    func say(_ text: String) { status(text) }

    /// Takes the moving line away.
    func end() { if isTerminal { Terminal.write("\r\u{1b}[K", to: 2) } }

    private func status(_ text: String) {
        guard isTerminal else { return Terminal.write("\(text)\n", to: 2) }
        let seconds = Int(-start.timeIntervalSinceNow)
        let bar = String(repeating: "█", count: judged * 12 / max(count, 1))
        let time = String(format: "%d:%02d", seconds / 60, seconds % 60)
        let line = "\(pad(bar, 13))\(judged) of \(count)  \(text)  \(time)"
        Terminal.write("\r\u{1b}[K\(line)", to: 2)
    }
}
