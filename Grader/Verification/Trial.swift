// SPDX-License-Identifier: MIT

import Course
import Foundation
import Pipeline

/// A submission that judges the suites: its verdict is known beforehand.
struct Trial {
    /// What the suites must make of it.
    enum Kind: String {
        /// A stub: not started.
        case stub
        /// The reference: full marks.
        case solution
        /// A correct submission that is written another way: full marks.
        case right = "Right"
        /// A submission with one mistake: fails the check that it names.
        case wrong = "Wrong"
        /// An attack on the grader: is stopped, and leaves nothing behind.
        case hostile = "Hostile"
    }

    let kind: Kind
    let exercise: Exercise
    let name: String
    let folder: String
    /// The method of the check that must fail; empty for those that pass.
    let caughtBy: String
    /// What the failure's message must contain, so that it fails for the right reason.
    let says: String

    /// How often it is judged when the correct ones are judged `runs` times. A flake shows itself where
    /// something must pass; what must fail often waits for its deadline, and is judged a tenth as often.
    func repetitions(of runs: Int) -> Int {
        kind == .solution || kind == .right ? runs : max(1, runs / 10)
    }

    /// Every trial of the course, in the order of the registry.
    /// - Throws: `MachineFailure` for one that does not say what it is to prove.
    static func all(in tree: CourseTree) throws -> [Trial] {
        try Course.exercises.flatMap { exercise in
            let given = [
                Trial(.stub, exercise, "stub", tree.folder(of: exercise)),
                Trial(.solution, exercise, "solution", "\(tree.root)/Solutions/\(exercise.path)"),
            ]
            return try given
                + [.right, .wrong, .hostile].flatMap { kind in
                    try submitted(kind, exercise, below: "\(tree.root)/Tests/Submissions")
                }
        }
    }

    private init(
        _ kind: Kind, _ exercise: Exercise, _ name: String, _ folder: String,
        caughtBy: String = "", says: String = ""
    ) {
        self.kind = kind
        self.exercise = exercise
        self.name = name
        self.folder = folder
        self.caughtBy = caughtBy
        self.says = says
    }

    /// Wrong/EXERCISE/NAME and Right/EXERCISE/NAME; of Hostile/NAME the header tells the exercise.
    private static func submitted(
        _ kind: Kind, _ exercise: Exercise, below root: String
    ) throws -> [Trial] {
        let parent = "\(root)/\(kind.rawValue)" + (kind == .hostile ? "" : "/\(exercise.id)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return try names.sorted().compactMap { name in
            let folder = "\(parent)/\(name)"
            if kind == .right { return Trial(kind, exercise, name, folder) }
            let header = try header(of: folder)
            let check = (header["Caught by"] ?? "").split(separator: ".").map(String.init)
            if kind == .hostile, check.first != exercise.id { return nil }
            guard let method = check.last, let says = header["Says"], !says.isEmpty,
                exercise.checks.contains(where: { $0.method == method })
            else {
                throw MachineFailure(
                    "\(folder)/Server.swift does not begin with `// Caught by:` and `// Says:`.",
                    help: "Name a check of \(exercise.id), and a part of its message.")
            }
            return Trial(kind, exercise, name, folder, caughtBy: method, says: says)
        }
    }

    /// The `// Name: value` lines at the top of a submission.
    private static func header(of folder: String) throws -> [String: String] {
        guard let text = try? String(contentsOfFile: folder + "/Server.swift", encoding: .utf8)
        else {
            throw MachineFailure("\(folder) has no Server.swift.")
        }
        var header: [String: String] = [:]
        for line in text.split(separator: "\n").prefix(while: { $0.hasPrefix("// ") }) {
            let parts = line.dropFirst(3).split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            header[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        return header
    }

    /// Whether the suites have made of it what they must.
    func judge(_ report: ExerciseReport) -> Verdict {
        switch kind {
        case .stub: return report.status == .notStarted ? .right : .unexpected
        case .solution, .right:
            let good = report.status == .passed && report.score == report.maxScore
            return good ? .right : .falseReject
        case .wrong, .hostile:
            let check = report.checks.first { $0.id == "\(exercise.id).\(caughtBy)" }
            guard let check, check.status != .passed, report.score < report.maxScore else {
                return .falseAccept
            }
            return check.message.contains(says) ? .right : .otherReason
        }
    }

    /// What a run has shown about the suites.
    enum Verdict: String {
        /// The suites judged as they must.
        case right = "as it must"
        /// A mistake was not seen.
        case falseAccept = "FALSE ACCEPT"
        /// A correct submission did not get full marks.
        case falseReject = "FALSE REJECT"
        /// The check failed, but its message does not say what the mistake is.
        case otherReason = "FAILED FOR ANOTHER REASON"
        /// A stub was not taken for one.
        case unexpected = "UNEXPECTED"
    }
}
