// SPDX-License-Identifier: MIT

import Foundation
import Harness
package import Registry

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
        let errors = Errors(in: output, of: exercise)
        if let given = errors.given.first {
            throw MachineFailure(
                "The given code does not build: \(given)",
                help: "`swift build` in the workbook shows the whole output.")
        }
        if !errors.own.isEmpty {
            let lines = foreignImports(exercise) + errors.own
            return .failed(lines.joined(separator: "\n"))
        }
        // No error points at the learner's files: the linker's, the compiler's, or the machine's.
        if isAgain { return try blame(output, errors, exercise) }
        if package != tree.root {
            try? FileManager.default.removeItem(atPath: package + "/.build")
        }
        return try run(exercise, isAgain: true)
    }

    /// Who is at fault when no error points at the learner's files. The reference has the same given
    /// files: if it does not build here either, no learner can help it.
    private func blame(_ output: String, _ errors: Errors, _ exercise: Exercise) throws -> Outcome {
        let reference = "\(tree.root)/Solutions/\(exercise.path)"
        if FileManager.default.fileExists(atPath: reference),
            let own = try tree.build(product: "\(exercise.id)-solution")
        {
            throw MachineFailure(
                "The reference of \(exercise.id) does not build: \(Self.last(own))",
                help: "`swift build` in the workbook shows the whole output.")
        }
        let beside = errors.beside.joined(separator: "\n")
        return .failed(beside.isEmpty ? Self.last(output) : beside)
    }

    /// A sentence for each module that the learner's files import and the exercise is not given. Such a
    /// module may lie built beside it, so that only the linker misses what it holds.
    private func foreignImports(_ exercise: Exercise) -> [String] {
        ["Listening", "Nonblocking"].filter { !exercise.given.contains($0) }.flatMap { module in
            exercise.learnerFiles.filter { name in
                let text = readFile("\(package)/Exercises/\(exercise.path)/\(name)") ?? ""
                return text.split(separator: "\n").contains("import \(module)")
            }.map { name in
                "\(name) imports \(module), which \(exercise.id) is not given: it holds what you "
                    + "are to write."
            }
        }
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

    private static func last(_ output: String) -> String {
        output.split(separator: "\n").filter { $0.contains("error") }.suffix(3)
            .map { printable(String($0)) }.joined(separator: "\n")
    }
}

/// The compiler's errors by who has the file that they point at: the first three of each, each once.
package struct Errors: Equatable {
    /// In the learner's own files.
    package let own: [String]
    /// In the given files beside them, which call what the learner is to write.
    package let beside: [String]
    /// In any other file of the package: never the learner's.
    package let given: [String]

    /// Sorts what `swift build` has printed.
    package init(in output: String, of exercise: Exercise) {
        // A place in a source: `/…/Server.swift:13:5: error: `. The linker gives no column.
        let place = #/^(/[^:]*\.(?:swift|c|h)):[0-9]+(?::[0-9]+)?: error: /#
        let folder = "/Exercises/\(exercise.path)/"
        var below: [String] = []
        var elsewhere: [String] = []
        for line in output.split(separator: "\n") {
            guard let path = line.firstMatch(of: place)?.1 else { continue }
            if let start = path.range(of: folder) {
                below.append(printable(String(line[start.upperBound...])))
            } else {
                elsewhere.append(printable(String(line)))
            }
        }
        let isOwn = { (line: String) in
            exercise.learnerFiles.contains { line.hasPrefix($0 + ":") }
        }
        own = Self.first(below.filter(isOwn))
        beside = Self.first(below.filter { !isOwn($0) })
        given = Self.first(elsewhere)
    }

    private static func first(_ lines: [String]) -> [String] {
        var seen: Set<String> = []
        return Array(lines.filter { seen.insert($0).inserted }.prefix(3))
    }
}
