// SPDX-License-Identifier: MIT

import Pipeline
import Reports

/// One verb of the command line: what it is called with, and what it does.
package struct Verb: Sendable {
    /// An option that begins with `--`.
    package struct Option: Sendable {
        let name: String
        /// What follows it, as the usage names it; nil for an option without a value.
        let value: String?
        let about: String

        /// An option; without a value it is a flag.
        package init(_ name: String, _ value: String? = nil, about: String) {
            self.name = name
            self.value = value
            self.about = about
        }

        fileprivate var form: String { value.map { "\(name) \($0)" } ?? name }
    }

    let name: String
    /// What it does, in a line.
    let about: String
    /// The plain words that it takes, as the usage names them: `[EXERCISE…]`.
    var words = ""
    var options: [Option] = []
    let run: @Sendable (Arguments) throws -> ExitCode

    /// Every verb, in the order of the help.
    static let all: [Verb] = [list, check, grade, trace, verify]

    /// How it is called, in a line.
    var usage: String {
        (["grader", name, words].filter { !$0.isEmpty } + options.map { "[\($0.form)]" })
            .joined(separator: " ")
    }

    /// The whole of its help.
    var help: String {
        let width = (options.map(\.form.count).max() ?? 0) + 2
        let rows = options.map { "  " + pad($0.form, width) + $0.about }
        return (["\(name): \(about)", "Usage: \(usage)"] + rows).joined(separator: "\n")
    }
}

/// What `grader help` prints.
let help: String = {
    let width = (Verb.all.map { $0.name.count + $0.words.count }.max() ?? 0) + 3
    let rows = Verb.all.map { pad("\($0.name) \($0.words)", width) + $0.about }
    let own = [
        pad("", width) + "what you have done, and what comes next",
        pad("help [VERB]", width) + "this, or all about one verb; also VERB --help",
    ]
    return (own.prefix(1) + rows + own.suffix(1)).map { "grader \($0)" }.joined(separator: "\n")
}()
