// SPDX-License-Identifier: MIT

import Figures
import Foundation
import Harness
import Scenes
import Pipeline
import Registry

extension Verb {
    static let trace = Verb(
        name: "trace", about: "draw what your server asked of the kernel, and where it waited",
        words: "EXERCISE",
        options: [
            Option("--solution", about: "draw the reference's figure beside it"),
            Option("--format", "FORMAT", about: "text, svg, mermaid or json; text if not given"),
            Option("--output", "FILE", about: "write the figure there"),
        ], run: drawFigures)
}

/// Plays the chapter's scene with the learner's server, and draws what it asked of the kernel; with
/// `--solution` the reference's too.
@Sendable private func drawFigures(_ arguments: Arguments) throws -> ExitCode {
    guard arguments.words.count == 1, let exercise = try exercises(arguments.words).first else {
        throw UsageError("`grader trace` takes one exercise.")
    }
    let name = arguments.value(of: "--format") ?? "text"
    guard let format = FigureFormat(rawValue: name) else {
        throw UsageError("There is no format '\(name)': use text, svg, mermaid or json.")
    }
    let output = try OutputFile(arguments.value(of: "--output"))
    let tree = try CourseTree()
    var figures: [Ladder] = []
    if let own = try figure(exercise, .exercises, tree) { figures.append(own) }
    if arguments.flags.contains("--solution"),
        let reference = try figure(exercise, .solutions, tree)
    {
        figures.append(reference)
    }
    guard !figures.isEmpty else {
        throw UsageError(
            "\(exercise.id) is not written yet, so there is nothing to draw.",
            help: "`--solution` draws the reference's figure.")
    }
    try output.write(try format.render(figures))
    return .done
}

private enum FigureFormat: String {
    case text, svg, mermaid, json

    func render(_ figures: [Ladder]) throws -> Data {
        switch self {
        case .text: return Data(figures.map(\.text).joined(separator: "\n").utf8)
        case .mermaid: return Data(figures.map(\.mermaid).joined(separator: "\n").utf8)
        case .svg: return Data(sideBySide(figures).utf8)
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return try encoder.encode(figures) + [0x0a]
        }
    }
}

/// Builds a server, plays the scene, and makes its figure; nil when the exercise is not written yet.
private func figure(
    _ exercise: Exercise, _ subject: Subject, _ tree: CourseTree
) throws -> Ladder? {
    let isOwn = subject == .exercises
    if let output = try tree.build(product: isOwn ? exercise.id : "\(exercise.id)-solution") {
        throw UsageError(
            "\(exercise.id) does not compile.",
            help: output.split(separator: "\n").first { $0.contains("error:") }.map(String.init))
    }
    do throws(CheckFailure) {
        let title = exercise.id + (isOwn ? "" : " (solution)")
        return try play(exercise, subject).map { Ladder(title: title, events: $0) }
    } catch {
        throw MachineFailure(
            "The scene could not be played to its end: \(error.found)",
            help: "`grader check \(exercise.id)` says more.")
    }
}

private func play(
    _ exercise: Exercise, _ subject: Subject
) throws(CheckFailure) -> [TraceEvent]? {
    let run = try CheckRun(exercise: exercise.id, subject: subject, seed: 1, seconds: 10)
    defer { run.end() }
    do throws(CheckFailure) {
        return try exercise.scene.play(run)
    } catch {
        if error.kind == .unwritten || run.unwrittenStub() != nil { return nil }
        throw error
    }
}
