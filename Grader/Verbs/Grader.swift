// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
import Reports

/// The exit statuses of the grader, which scripts rely on.
enum ExitCode: Int32 {
    case done = 0
    case below = 1
    case usage = 2
    case machine = 3
}

/// Runs the verb that the command line names, and ends the process with its status.
public func runGrader() -> Never {
    let words = Array(CommandLine.arguments.dropFirst())
    let verb = Verb.all.first { $0.name == words.first }
    do {
        exit(try run(verb, words).rawValue)
    } catch let error as UsageError {
        complain(error.description, help: error.help)
        Terminal.write(
            "Usage: \(verb?.usage ?? "grader VERB; `grader help` shows them all")\n", to: 2)
        exit(ExitCode.usage.rawValue)
    } catch let error as MachineFailure {
        complain(error.description, help: error.help)
        exit(ExitCode.machine.rawValue)
    } catch {
        complain(error.localizedDescription, help: nil)
        exit(ExitCode.machine.rawValue)
    }
}

private func run(_ verb: Verb?, _ words: [String]) throws -> ExitCode {
    guard let first = words.first else { return try dashboard() }
    if let verb {
        let rest = words.dropFirst()
        if rest.contains("--help") || rest.contains("-h") { return say(verb.help) }
        return try verb.run(Arguments(rest, options: verb.options))
    }
    switch first {
    case "help" where words.count == 2:
        guard let verb = Verb.all.first(where: { $0.name == words[1] }) else {
            throw unknown(words[1])
        }
        return say(verb.help)
    case "help", "--help", "-h": return say(help)
    case "--version":
        return say("grader \(Course.version), reports of schema \(Report.schemaVersion)")
    default: throw unknown(first)
    }
}

private func unknown(_ verb: String) -> UsageError {
    let near = Course.nearest(to: verb, of: Verb.all.map(\.name))
    return UsageError(
        "There is no verb '\(verb)'.",
        help: near.first.map { "Did you mean `grader \($0)`?" })
}

private func say(_ text: String) -> ExitCode {
    Terminal.write(text + "\n", to: 1)
    return .done
}

private func complain(_ error: String, help: String?) {
    Terminal.write("Error: \(error)\n", to: 2)
    if let help { Terminal.write("Help: \(help)\n", to: 2) }
}

/// The exercises with these ids, or all of them when there is none.
/// - Throws: `UsageError` with the nearest ids for one that does not exist.
func exercises(_ ids: [String]) throws -> [Exercise] {
    if ids.isEmpty { return Course.exercises }
    return try ids.map { id in
        if let exercise = Course.exercise(id) { return exercise }
        let near = Course.ids(nearest: id)
        throw UsageError(
            "There is no exercise '\(id)'.",
            help: near.isEmpty
                ? "`grader list` shows them all."
                : "Did you mean \(near.joined(separator: " or "))?")
    }
}
