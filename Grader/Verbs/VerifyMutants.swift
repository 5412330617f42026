// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
import Reports
import Verification

/// Judges the suites by mutants of the solutions: each is wrong in one place, by program.
func verifyMutants(_ arguments: Arguments, _ tree: CourseTree) throws -> ExitCode {
    if let other = arguments.flags.subtracting(["--mutants"]).min() {
        throw UsageError("--mutants and \(other) do not go together.")
    }
    let times = try number("--runs", arguments) ?? 1
    let size = try number("--sample", arguments)
    let wanted = try exercises(arguments.words)
    let made = try wanted.map { exercise in
        let text = try String(
            contentsOfFile: "\(tree.root)/Solutions/\(exercise.path)/Server.swift",
            encoding: .utf8)
        let mutants = Mutant.all(of: text)
        let reasons = try MutantList(exercise, tree).reasons(for: mutants)
        return (exercise: exercise, mutants: mutants, reasons: reasons)
    }
    let all = made.reduce(0) { $0 + $1.mutants.count }
    let sample = Set(Mutant.sample(size ?? all, of: all))
    let start = Date()
    let progress = Progress(sample.count)
    let judge = try Judge(tree, events: { _ in })
    let workspace = try Workspace(tree)

    var rows: [MutantRow] = []
    var before = 0
    for (exercise, mutants, reasons) in made {
        let chosen = mutants.indices.filter { sample.contains(before + $0) }.map { mutants[$0] }
        before += mutants.count
        if chosen.isEmpty { continue }
        progress.say("\(exercise.id): the solution")
        let examination = try MutantJudge(exercise, tree, judge, workspace)
        let interruption = Interruption()
        let outcomes = try examination.judge(
            chosen, interruption, times: { reasons[$0.name] == nil ? times : 1 },
            progress: { progress.advance("\(exercise.id): \($0.mutant.name)") })
        let row = MutantRow(exercise: exercise, outcomes: outcomes, reasons: reasons)
        rows.append(row)
        progress.end()
        Terminal.write(text(row), to: 1)
        interruption.end()
    }
    let rates = MutantRates(rows: rows)
    let seconds = Int(-start.timeIntervalSinceNow)
    Terminal.write(summary(rates) + "\nIt took \(seconds / 60) min \(seconds % 60) s.\n", to: 1)
    if arguments.words.isEmpty, sample.count == all { try keep(rates, tree) }
    return rates.areGood ? .done : .below
}

/// The number that is given with an option, or nil without the option.
/// - Throws: `UsageError` when it is not a number from 1 on.
func number(_ option: String, _ arguments: Arguments) throws -> Int? {
    guard let text = arguments.value(of: option) else { return nil }
    guard let number = Int(text), number > 0 else {
        throw UsageError("\(option) takes a number from 1 on, not '\(text)'.")
    }
    return number
}

/// What is to be looked at in one exercise.
private func text(_ row: MutantRow) -> String {
    let isRight = row.survivors.isEmpty && row.wronglyCaught.isEmpty && row.notJudged.isEmpty
    let mark = Terminal.output.paint(isRight ? "✓" : "✗", isRight ? .green : .red)
    let lists = [
        list("Survive", row.survivors), list("Are allowed, and caught", row.wronglyCaught),
        list("Were caught now and then only", row.sometimes), list("Not judged", row.notJudged),
    ]
    return "\(mark) \(pad(row.exercise.id, 24))\(MutantRates(rows: [row]).text)\n"
        + lists.joined()
}

private func list(_ title: String, _ outcomes: [MutantOutcome]) -> String {
    outcomes.isEmpty ? "" : "  \(title):\n" + outcomes.map(lines).joined()
}

private func lines(_ outcome: MutantOutcome) -> String {
    let mutant = outcome.mutant
    let why =
        switch outcome.verdict {
        case .caught(let method): ["by \(method)"]
        case .notJudged(let reason): [reason]
        case .survived, .doesNotCompile: [String]()
        }
    let changed = mutant.old.map { "- \($0)" } + mutant.new.map { "+ \($0)" }
    return (["    \(mutant.name)"] + (why + changed).map { "      \($0)" }).joined(separator: "\n")
        + "\n"
}

private func summary(_ rates: MutantRates) -> String {
    let survivors = rates.rows.flatMap { row in
        row.survivors.map { "  \(row.exercise.id) \($0.mutant.name)\n" }
    }
    return "\n" + rates.markdown
        + (survivors.isEmpty ? "" : "\nSurvive:\n" + survivors.joined())
}

/// Keeps the rates where the README quotes them from.
private func keep(_ rates: MutantRates, _ tree: CourseTree) throws {
    let file = "Tests/Submissions/MUTANTS.md"
    try rates.markdown.write(toFile: "\(tree.root)/\(file)", atomically: true, encoding: .utf8)
    Terminal.write("\nWritten to \(file); the README quotes it.\n", to: 1)
}
