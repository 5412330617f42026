// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Pipeline
import Registry
import Reports
import Verification

extension Verb {
    static let verify = Verb(
        name: "verify", about: "judge the suites, by submissions whose verdict is known",
        words: "[EXERCISE…]",
        options: [
            Option("--runs", "N", about: "judge each correct submission N times; keep the rates"),
            Option(
                "--whole", about: "run all checks of a mistake, not only those that must see it"),
            Option("--under-load", about: "beside two processes that never rest"),
            Option("--mutants", about: "judge them by mutants, made of the solutions by program"),
            Option("--sample", "N", about: "judge only N mutants, spread evenly over all"),
            Option("--show", "EXERCISE/NAME", about: "print the whole file of one submission"),
        ], run: verifySuites)
}

/// Judges the suites, by submissions whose verdict is known.
@Sendable private func verifySuites(_ arguments: Arguments) throws -> ExitCode {
    let tree = try CourseTree()
    if let name = arguments.value(of: "--show") { return try show(name, tree) }
    if arguments.flags.contains("--mutants") { return try verifyMutants(arguments, tree) }
    if arguments.value(of: "--sample") != nil {
        throw UsageError("--sample goes with --mutants.")
    }
    let given = try number("--runs", arguments)
    let runs = given ?? 1
    let trials = try Submissions(tree).trials(of: exercises(arguments.words))
    let judge = try Judge(tree) { _ in }
    let workspace = try Workspace(tree)
    let isUnderLoad = arguments.flags.contains("--under-load")
    let load = try isUnderLoad ? (1...2).map { _ in try busyProcess() } : []
    defer { load.forEach { $0.kill() } }

    // What is kept as a measurement is the whole matrix.
    let isWhole = given != nil || arguments.flags.contains("--whole")
    var outcomes: [Outcome] = []
    for trial in trials {
        if trial.kind == .stub { say(Terminal.output.paint(trial.exercise.id, .bold)) }
        let method = isWhole || trial.kind != .wrong ? nil : trial.caughtBy
        let outcome = try run(trial, trial.repetitions(of: runs), judge, workspace, upTo: method)
        say(row(outcome))
        outcomes.append(outcome)
    }
    let rates = Rates(outcomes: outcomes, isUnderLoad: isUnderLoad, isWhole: isWhole)
    say(summary(rates))
    if given != nil, arguments.words.isEmpty { try keep(rates, tree) }
    return rates.areClean ? .done : .below
}

/// Prints the whole Server.swift of `EXERCISE/NAME`, as an edit makes it.
private func show(_ path: String, _ tree: CourseTree) throws -> ExitCode {
    let words = path.split(separator: "/").map(String.init)
    let trials = try Submissions(tree).trials(of: exercises([words[0]]))
    guard words.count == 2, let trial = trials.first(where: { $0.name == words[1] }) else {
        throw UsageError(
            "There is no submission '\(path)'.",
            help: "Tests/Submissions has them: Wrong/EXERCISE/NAME.edit is EXERCISE/NAME.")
    }
    Terminal.write(trial.text, to: 1)
    return .done
}

/// Each row as soon as it is known, into a log too: `print` keeps it until a page is full.
private func say(_ text: String) { Terminal.write(text + "\n", to: 1) }

private func run(
    _ trial: Trial, _ runs: Int, _ judge: Judge, _ workspace: Workspace, upTo method: String?
) throws -> Outcome {
    var reports = [
        try judge.judge(trial.exercise, trial.parcel, in: workspace, upTo: method)
    ]
    if reports[0].status == .buildFailed {
        throw MachineFailure(
            "\(trial.exercise.id)/\(trial.name) does not build: \(reports[0].message ?? "")",
            help: "Submissions that judge the suites must compile.")
    }
    while reports.count < runs {
        reports.append(judge.examineAgain(trial.exercise, in: workspace, upTo: method))
    }
    if trial.kind == .wrong, runs == 1, trial.judge(reports[0]) != .right {
        for _ in 1...2 {
            reports.append(judge.examineAgain(trial.exercise, in: workspace, upTo: method))
        }
    }
    if trial.kind == .hostile { try requireNothingLeft(of: trial, workspace) }
    return Outcome(trial: trial, reports: reports)
}

/// A process of this server that outlives its examination could spoil the next one.
private func requireNothingLeft(of trial: Trial, _ workspace: Workspace) throws {
    let left = directory("/proc").filter { Int($0) != nil }.filter { pid in
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
        return target?.hasPrefix(workspace.root) ?? false
    }
    guard left.isEmpty else {
        throw MachineFailure(
            "\(trial.name) has left processes behind: \(left.joined(separator: ", ")).",
            help: "The harness must end them: see ProcessTree.swift.")
    }
}

private func busyProcess() throws -> ChildProcess {
    do {
        return try ChildProcess("/bin/sh", ["-c", "while :; do :; done"])
    } catch {
        throw MachineFailure(error.description)
    }
}

private func row(_ outcome: Outcome) -> String {
    let trial = outcome.trial
    let kind = trial.kind == .stub || trial.kind == .solution ? "" : trial.kind.rawValue
    let first = outcome.reports[0]
    let others = outcome.failed.count - 1
    let found =
        switch trial.kind {
        case .stub: first.status.rawValue
        case .solution, .right: "\(first.score)/\(first.maxScore) points"
        case .wrong, .hostile:
            trial.caughtBy + (others == 0 ? ", and no other" : " and \(max(others, 0)) more")
        }
    let isRight = outcome.verdict == .right
    let mark = Terminal.output.paint(isRight ? "✓" : "✗", isRight ? .green : .red)
    let missed =
        outcome.missed.isEmpty
        ? "" : "  missed by \(outcome.missed.count) of \(outcome.reports.count)"
    let verdict = isRight ? "" : "  \(outcome.verdict.rawValue)"
    return "  \(mark) \(pad(kind, 8))\(pad(trial.name, 30))\(found)\(missed)\(verdict)"
        + details(outcome)
}

/// The runs that went wrong, for the maintainer.
private func details(_ outcome: Outcome) -> String {
    outcome.missed.flatMap { report in
        report.checks.filter { check in
            outcome.trial.kind == .right || outcome.trial.kind == .solution
                ? check.status != .passed : check.id.hasSuffix("." + outcome.trial.caughtBy)
        }
    }.map { "\n      \($0.id): \($0.status.rawValue)\n" + $0.message }.joined()
}

/// What the maintainer must look at comes last: the end of a log is what is read first.
private func summary(_ rates: Rates) -> String {
    let alone = list("Hidden checks without a mistake that only they catch", rates.neverAlone)
    let missed = rates.outcomes.filter { !$0.missed.isEmpty }.map { outcome in
        outcome.trial.exercise.id + row(outcome)
    }
    return
        ([""] + unnamed(rates) + alone + [rates.markdown] + (rates.isWhole ? [rates.causes] : [])
        + list("Flakes", rates.flakes)
        + list("Hidden checks that no Wrong submission fails", rates.unproven)
        + list("Came out another way than it must", missed)).joined(separator: "\n")
}

/// The first messages that do not name their mistake's cause.
private func unnamed(_ rates: Rates) -> [String] {
    rates.unnamed.map { outcome in
        let first = outcome.reports.first?.explanations.first?.told
        return "\(outcome.trial.exercise.id)/\(outcome.trial.name): the first message does not say "
            + "“\(outcome.trial.cause ?? "")”:\n\(first?.id ?? "nothing failed")\n"
            + (first?.message ?? "") + "\n"
    }
}

private func list(_ title: String, _ lines: [String]) -> [String] {
    lines.isEmpty ? [] : [title + ":\n" + lines.map { "  \($0)\n" }.joined()]
}

/// Keeps the rates where the README quotes them from. Only of the whole course, and only when a number
/// of runs was asked for: a single run of every day should not replace a measurement.
private func keep(_ rates: Rates, _ tree: CourseTree) throws {
    let file = tree.root + "/Tests/Submissions/RATES.md"
    try rates.markdown.write(toFile: file, atomically: true, encoding: .utf8)
    say("Written to Tests/Submissions/RATES.md; the README quotes it.")
}
