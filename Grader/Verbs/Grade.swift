// SPDX-License-Identifier: MIT

import Registry
import Reports
import Foundation
import Pipeline

/// `grader grade SUBMISSION`: judges a submission in a workspace, and writes the report.
func grade(_ arguments: Arguments) throws -> ExitCode {
    guard arguments.words.count == 1, let path = arguments.words.first else {
        throw UsageError("`grader grade` takes one submission.")
    }
    let passAt = try percent(arguments.value(of: "--pass-at"))
    let outputs = try outputs(arguments)
    let ids = arguments.value(of: "--exercises")?.split(separator: ",").map(String.init) ?? []
    let wanted = try exercises(ids)
    let intake = try Intake(submission: path)
    let tree = try CourseTree()

    let progress = Progress()
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
    let file: String?

    func write(_ report: Report) throws {
        let terminal = file == nil ? Terminal.output : Terminal.plain
        let data =
            switch format {
            case .text: Data(TextReport(report: report, terminal: terminal).text.utf8)
            case .json: try report.json()
            }
        guard let file else { return FileHandle.standardOutput.write(data) }
        do {
            try data.write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch {
            throw MachineFailure(
                "The report cannot be written to \(file).", help: error.localizedDescription)
        }
    }
}

/// Each `--format` begins an output, and an `--output` names the file of the one before it.
private func outputs(_ arguments: Arguments) throws -> [Output] {
    var outputs: [Output] = []
    for option in arguments.options {
        if option.name == "--format" {
            guard let format = Output.Format(rawValue: option.value) else {
                throw UsageError("There is no format '\(option.value)': use text or json.")
            }
            outputs.append(Output(format: format, file: nil))
        } else if option.name == "--output" {
            let last = outputs.last?.file == nil ? outputs.popLast() : nil
            outputs.append(Output(format: last?.format ?? .text, file: option.value))
        }
    }
    return outputs.isEmpty ? [Output(format: .text, file: nil)] : outputs
}

private func percent(_ text: String?) throws -> Double? {
    guard let text else { return nil }
    guard let value = Double(text), (0...100).contains(value) else {
        throw UsageError("--pass-at takes a number from 0 to 100, not '\(text)'.")
    }
    return value
}
