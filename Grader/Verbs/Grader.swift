// SPDX-License-Identifier: MIT

import Registry
import Reports
import Foundation
import Pipeline

/// The exit statuses of the grader, which scripts rely on.
enum ExitCode: Int32 {
    case done = 0
    case below = 1
    case usage = 2
    case machine = 3
}

/// Runs the verb that the command line names, and ends the process with its status.
public func runGrader() -> Never {
    do {
        exit(try dispatch(Array(CommandLine.arguments.dropFirst())).rawValue)
    } catch let error as UsageError {
        complain(error.description, help: error.help)
        complain(usage: usage)
        exit(ExitCode.usage.rawValue)
    } catch let error as MachineFailure {
        complain(error.description, help: error.help)
        exit(ExitCode.machine.rawValue)
    } catch {
        complain(error.localizedDescription, help: nil)
        exit(ExitCode.machine.rawValue)
    }
}

private func dispatch(_ words: [String]) throws -> ExitCode {
    guard let verb = words.first else { return try dashboard() }
    let rest = Array(words.dropFirst())
    switch verb {
    case "list": return try list(Arguments(rest, options: []))
    case "check": return try check(Arguments(rest, options: []))
    case "grade":
        return try grade(
            Arguments(rest, options: ["--exercises", "--format", "--output", "--pass-at"]))
    case "trace":
        return try trace(
            Arguments(rest, options: ["--format", "--output"], flags: ["--solution"]))
    case "verify":
        return try verify(Arguments(rest, options: ["--runs", "--show"], flags: ["--under-load"]))
    case "help", "--help", "-h":
        print(usage)
        return .done
    default:
        throw UsageError("There is no verb '\(verb)'.", help: "Choose one of those below.")
    }
}

private let usage = """
    Usage: grader                                what you have done, and what comes next
           grader list                           the chapters and their exercises
           grader check [EXERCISE…]              build and judge your own work
           grader grade SUBMISSION [--exercises A,B] [--format text|json] [--output FILE]
                                   [--pass-at PERCENT]
           grader trace EXERCISE [--solution] [--format text|svg|mermaid|json] [--output FILE]
           grader verify [EXERCISE…] [--runs N] [--under-load]   judge the suites
           grader verify --show EXERCISE/NAME    what a submission that judges them looks like
    """

private func complain(_ error: String, help: String?) {
    Terminal.write("Error: \(error)\n", to: 2)
    if let help { Terminal.write("Help: \(help)\n", to: 2) }
}

private func complain(usage: String) { Terminal.write(usage + "\n", to: 2) }

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
