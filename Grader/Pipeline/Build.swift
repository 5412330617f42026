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
    func run(_ exercise: Exercise, isAgain: Bool = false) throws -> Outcome {
        var output = try tree.build(product: exercise.id, in: package)
        if output == nil, hasStaleObject(exercise) {
            forgetObjects(of: exercise)
            output = try tree.build(product: exercise.id, in: package)
        }
        guard let output else { return .built }
        let errors = Self.errors(
            in: output, of: "Exercises/\(exercise.path)/", learnerFiles: exercise.learnerFiles)
        if !errors.isEmpty { return .failed(errors.joined(separator: "\n")) }
        // No error points at the learner's files: the linker's, the compiler's, or the machine's.
        if isAgain { return try blame(output) }
        if package != tree.root {
            try? FileManager.default.removeItem(atPath: package + "/.build")
        }
        return try run(exercise, isAgain: true)
    }

    /// Whose fault an error is that points at no file of the learner's. What everybody is given
    /// must build in any case; if it does not, the fault is the machine's.
    private func blame(_ output: String) throws -> Outcome {
        if let support = try tree.build(product: "Support", in: package, isTarget: true) {
            throw MachineFailure(
                "The given code does not build: \(Self.last(support))",
                help: "`swift build` in the workbook shows the whole output.")
        }
        return .failed(Self.last(output))
    }

    /// Whether a source is newer than what it was compiled to. The incremental build takes a file
    /// that was saved within about a second of the last build for the old one, and reports success.
    private func hasStaleObject(_ exercise: Exercise) -> Bool {
        let sources = "\(package)/Exercises/\(exercise.path)"
        return directory(sources).filter { $0.hasSuffix(".swift") }.contains { name in
            guard let saved = modified("\(sources)/\(name)"),
                let compiled = modified("\(objects(of: exercise))/\(name).o")
            else { return true }
            return saved > compiled
        }
    }

    private func forgetObjects(of exercise: Exercise) {
        let folder = objects(of: exercise)
        for name in directory(folder)
        where [".o", ".priors", ".swiftdeps"].contains(where: name.hasSuffix) {
            unlink("\(folder)/\(name)")
        }
    }

    private func objects(of exercise: Exercise) -> String {
        let module = exercise.id.map { $0 == "-" ? "_" : String($0) }.joined()
        return "\(package)/.build/debug/\(module).build"
    }

    private func modified(_ path: String) -> Date? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.modificationDate] as? Date
    }

    /// The compiler's first errors about files below `folder`, each line and column once.
    static func errors(
        in output: String, of folder: String, learnerFiles: [String]
    ) -> [String] {
        var found: [String] = []
        for line in output.split(separator: "\n") where line.contains(": error: ") {
            guard let start = line.range(of: folder) else { continue }
            let text = printable(String(line[start.upperBound...]))
            if !found.contains(text) { found.append(text) }
        }
        // An error in the learner's file often makes the given ones fail, too.
        let own = found.filter { line in learnerFiles.contains { line.hasPrefix($0 + ":") } }
        return Array((own.isEmpty ? found : own).prefix(3))
    }

    private static func last(_ output: String) -> String {
        output.split(separator: "\n").filter { $0.contains("error") }.suffix(3)
            .map { printable(String($0)) }.joined(separator: "\n")
    }
}
