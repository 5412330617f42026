// SPDX-License-Identifier: MIT

import Foundation

/// Where the grader prints, and whether colours may be used there.
package struct Terminal {
    private let isColoured: Bool

    /// Standard output: coloured only on a terminal, and never when `NO_COLOR` is set.
    package static var output: Terminal { Terminal(isColoured: mayColour(1)) }
    /// No colours: for files.
    package static let plain = Terminal(isColoured: false)

    package enum Colour: String {
        case green = "32"
        case red = "31"
        case yellow = "33"
        case faint = "2"
        case bold = "1"
    }

    /// The text in a colour, where colours may be used.
    package func paint(_ text: String, _ colour: Colour) -> String {
        isColoured ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// Whether a descriptor is a terminal on which colours are wanted. See no-color.org.
    static func mayColour(_ descriptor: Int32) -> Bool {
        let variables = ProcessInfo.processInfo.environment
        return isatty(descriptor) == 1 && (variables["NO_COLOR"] ?? "").isEmpty
            && variables["TERM"] != "dumb"
    }

    /// Writes text at once.
    package static func write(_ text: String, to descriptor: Int32) {
        try? FileHandle(fileDescriptor: descriptor).write(contentsOf: Data(text.utf8))
    }
}
