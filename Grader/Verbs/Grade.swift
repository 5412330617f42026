// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Registry
import Reports

extension Verb {
    static let grade = Verb(
        name: "grade", about: "judge a submission, and write the report", words: "SUBMISSION",
        options: [
            Option("--exercises", "A,B", about: "judge these only"),
            Option("--format", "FORMAT", about: "text or json; may be given several times"),
            Option("--output", "FILE", about: "where the format before it goes"),
            Option("--pass-at", "PERCENT", about: "exit with 1 below this share of the points"),
        ], run: gradeSubmission)
}

/// Judges a submission in a workspace, and writes the report.
@Sendable private func gradeSubmission(_ arguments: Arguments) throws -> ExitCode {
    guard arguments.words.count == 1, let path = arguments.words.first else {
        throw UsageError("`grader grade` takes one submission.")
    }
    let passAt = try percent(arguments.value(of: "--pass-at"))
    let outputs = try outputs(arguments)
    let ids = arguments.value(of: "--exercises")?.split(separator: ",").map(String.init) ?? []
    let wanted = try exercises(ids)
    let intake = try Intake(submission: path)
    let tree = try CourseTree()

    let progress = Progress(wanted.count)
    let judge = try Judge(tree, events: progress.show)
    let workspace = try Workspace(tree)
    let reports = try wanted.map { try judge.judge($0, intake.take($0), in: workspace) }
    progress.end()
    let report = Report(submission: path, exercises: reports, environment: .current)
    for output in outputs { try output.write(report) }
    if report.hasGraderError { return .machine }
    return passAt.map { report.percent < $0 } == true ? .below : .done
}

private struct Output {
    enum Format: String { case text, json }
    let format: Format
    let file: OutputFile

    func write(_ report: Report) throws {
        let terminal = file.isStandardOutput ? Terminal.output : Terminal.plain
        switch format {
        case .text:
            try file.write(Data(TextReport(report: report, terminal: terminal).text.utf8))
        case .json: try file.write(report.json())
        }
    }
}

/// Each `--format` begins an output, and an `--output` names the file of the one before it.
private func outputs(_ arguments: Arguments) throws -> [Output] {
    var outputs: [(format: Output.Format, file: String?)] = []
    for option in arguments.options {
        if option.name == "--format" {
            guard let format = Output.Format(rawValue: option.value) else {
                throw UsageError("There is no format '\(option.value)': use text or json.")
            }
            outputs.append((format, nil))
        } else if option.name == "--output" {
            let last = outputs.last?.file == nil ? outputs.popLast() : nil
            outputs.append((last?.format ?? .text, option.value))
        }
    }
    if outputs.isEmpty { outputs = [(.text, nil)] }
    return try outputs.map { Output(format: $0.format, file: try OutputFile($0.file)) }
}

private func percent(_ text: String?) throws -> Double? {
    guard let text else { return nil }
    guard let value = Double(text), (0...100).contains(value) else {
        throw UsageError("--pass-at takes a number from 0 to 100, not '\(text)'.")
    }
    return value
}
