// SPDX-License-Identifier: MIT

import Registry
import Reports
import Pipeline

/// `grader list`: the chapters and their exercises.
func list(_ arguments: Arguments) throws -> ExitCode {
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
