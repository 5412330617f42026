// SPDX-License-Identifier: MIT

import Pipeline
import Registry
import Reports

extension Verb {
    static let list = Verb(
        name: "list", about: "the chapters and their exercises", run: listExercises)
}

@Sendable private func listExercises(_ arguments: Arguments) throws -> ExitCode {
    guard arguments.words.isEmpty else { throw UsageError("`grader list` takes no exercise.") }
    for chapter in Course.chapters {
        print(Terminal.output.paint("\(chapter.id)  \(chapter.title)", .bold))
        for exercise in chapter.exercises {
            print(
                "  \(pad(exercise.id, 24))\(pad("\(exercise.points) points", 11))\(exercise.title)")
        }
    }
    return .done
}
