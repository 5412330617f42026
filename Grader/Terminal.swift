// SPDX-License-Identifier: MIT

import Course
import Foundation
import Pipeline

/// Where the grader prints, and whether colours may be used there.
struct Terminal {
    private let isColoured: Bool

    /// Standard output: coloured only on a terminal, and never when `NO_COLOR` is set.
    static var output: Terminal { Terminal(isColoured: mayColour(1)) }
    /// No colours: for files.
    static let plain = Terminal(isColoured: false)

    enum Colour: String {
        case green = "32"
        case red = "31"
        case yellow = "33"
        case faint = "2"
        case bold = "1"
    }

    /// The text in a colour, where colours may be used.
    func paint(_ text: String, _ colour: Colour) -> String {
        isColoured ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// Whether a descriptor is a terminal on which colours are wanted. See no-color.org.
    static func mayColour(_ descriptor: Int32) -> Bool {
        let variables = ProcessInfo.processInfo.environment
        return isatty(descriptor) == 1 && (variables["NO_COLOR"] ?? "").isEmpty
            && variables["TERM"] != "dumb"
    }

    /// Writes text at once.
    static func write(_ text: String, to descriptor: Int32) {
        try? FileHandle(fileDescriptor: descriptor).write(contentsOf: Data(text.utf8))
    }
}

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
