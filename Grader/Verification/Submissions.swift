// SPDX-License-Identifier: MIT

import Foundation
import Harness
package import Pipeline
package import Registry

/// Where the submissions lie that judge the suites, and what each is to prove.
package struct Submissions {
    private let tree: CourseTree
    private var root: String { "\(tree.root)/Tests/Submissions" }

    /// The submissions of a course tree.
    package init(_ tree: CourseTree) { self.tree = tree }

    /// Every trial of some exercises, in the order of the registry.
    /// - Throws: `MachineFailure` that names each submission that does not say what it is to prove,
    ///   and each edit that no longer applies.
    package func trials(of exercises: [Exercise]) throws(MachineFailure) -> [Trial] {
        var trials: [Trial] = []
        var problems: [MachineFailure] = []
        for exercise in exercises {
            let given = [(Trial.Kind.stub, "Exercises"), (.solution, "Solutions")]
            for (kind, side) in given {
                let folder = "\(tree.root)/\(side)/\(exercise.path)"
                trials.append(
                    Trial(kind, exercise, kind.rawValue, Intake.take(exercise, from: folder)))
            }
            for kind in [Trial.Kind.right, .wrong, .hostile] {
                for path in paths(of: kind, exercise) {
                    do throws(MachineFailure) {
                        if let trial = try trial(kind, exercise, path) { trials.append(trial) }
                    } catch {
                        problems.append(error)
                    }
                }
            }
        }
        guard let first = problems.first else { return trials }
        throw MachineFailure(problems.map(\.description).joined(separator: "\n"), help: first.help)
    }

    /// The submissions of a kind: folders, and files that end in `.edit`.
    private func paths(of kind: Trial.Kind, _ exercise: Exercise) -> [String] {
        let folder = "\(root)/\(kind.rawValue)" + (kind == .hostile ? "" : "/\(exercise.id)")
        return directory(folder).sorted().map { "\(folder)/\($0)" }
    }

    /// Reads one; nil for a Hostile one of another exercise.
    private func trial(
        _ kind: Trial.Kind, _ exercise: Exercise, _ path: String
    ) throws(MachineFailure) -> Trial? {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let name = file.replacing(".edit", with: "")
        let (parcel, header) = try read(path, exercise)
        if kind == .right { return Trial(kind, exercise, name, parcel) }
        let check = (header["Caught by"] ?? "").split(separator: ".").map(String.init)
        if kind == .hostile, check.first != exercise.id { return nil }
        guard let method = check.last, let says = header["Says"], !says.isEmpty,
            exercise.checks.contains(where: { $0.method == method })
        else {
            throw MachineFailure(
                "\(path) does not begin with `Caught by:` and `Says:`.",
                help: "Name a check of \(exercise.id), and a part of its message.")
        }
        return Trial(
            kind, exercise, name, parcel, caughtBy: method, says: says, cause: header["Cause"])
    }

    /// What is submitted, and the `Name: value` lines at the top of it.
    private func read(
        _ path: String, _ exercise: Exercise
    ) throws(MachineFailure) -> (Intake.Parcel, [String: String]) {
        guard path.hasSuffix(".edit") else {
            let lines = try text(of: "\(path)/Server.swift").components(separatedBy: "\n")
            let header = fields(of: lines.prefix { $0.hasPrefix("// ") }.map { $0.dropFirst(3) })
            return (Intake.take(exercise, from: path), header)
        }
        let (server, header) = try edited(path, exercise)
        return (.files(["Server.swift": Data(server.utf8)], ignored: []), header)
    }

    private func edited(
        _ path: String, _ exercise: Exercise
    ) throws(MachineFailure) -> (server: String, header: [String: String]) {
        let edit = try Edit(try text(of: path), name: path)
        let base = try base(edit.base, exercise)
        return (try edit.apply(to: base, name: path), edit.header)
    }

    /// The Server.swift that an edit changes: of the solution, or of a Right one, which may be an edit.
    private func base(_ name: String, _ exercise: Exercise) throws(MachineFailure) -> String {
        if name == "solution" {
            return try text(of: "\(tree.root)/Solutions/\(exercise.path)/Server.swift")
        }
        let right = "\(root)/Right/\(exercise.id)/\(name)"
        if FileManager.default.fileExists(atPath: right + ".edit") {
            return try edited(right + ".edit", exercise).server
        }
        return try text(of: right + "/Server.swift")
    }

    private func text(of path: String) throws(MachineFailure) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw MachineFailure("\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}
