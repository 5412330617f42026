// SPDX-License-Identifier: MIT

import Course
import Foundation
import Harness

/// The third stage: builds one exercise, so that a broken one stays alone.
struct Build {
    /// How it came out.
    enum Outcome: Equatable {
        /// There is an executable now.
        case built
        /// The learner's files do not compile; the compiler's first errors.
        case failed(String)
    }

    let tree: CourseTree
    /// The package that holds the exercise: the learner's own, or a workspace.
    let package: String

    /// Builds the executable of an exercise.
    /// - Throws: `MachineFailure` when the fault is not the learner's.
    func run(_ exercise: Exercise) throws -> Outcome {
        guard let output = try tree.build(product: exercise.id, in: package) else { return .built }
        let errors = Self.errors(in: output, of: "Exercises/\(exercise.path)/")
        if !errors.isEmpty { return .failed(errors.joined(separator: "\n")) }
        // No error points at the learner's files: the linker's, the compiler's, or the machine's.
        // What everybody is given must build in any case; if it does not, it is the machine's.
        if let support = try tree.build(product: "Support", in: package, isTarget: true) {
            throw MachineFailure(
                "The given code does not build: \(Self.last(support))",
                help: "`swift build` in the workbook shows the whole output.")
        }
        return .failed(Self.last(output))
    }

    /// The compiler's first errors about files below `folder`, each line and column once.
    static func errors(in output: String, of folder: String) -> [String] {
        var found: [String] = []
        for line in output.split(separator: "\n") where line.contains(": error: ") {
            guard let start = line.range(of: folder) else { continue }
            let text = printable(String(line[start.upperBound...]))
            if !found.contains(text) { found.append(text) }
        }
        return Array(found.prefix(3))
    }

    private static func last(_ output: String) -> String {
        output.split(separator: "\n").filter { $0.contains("error") }.suffix(3)
            .map { printable(String($0)) }.joined(separator: "\n")
    }
}
