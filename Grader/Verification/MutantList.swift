// SPDX-License-Identifier: MIT

import Foundation
package import Pipeline
package import Registry

/// The mutants of an exercise that no check need catch, with the reason: they do the same as the
/// solution, or something else that the contract allows.
///
///     # A larger buffer echoes the same bytes.
///     @@ echo
///     - var buffer = [UInt8](repeating: 0, count: 65_536)
///     + var buffer = [UInt8](repeating: 0, count: 65_537)
///
/// A reason stands for all mutants up to the next one. The lines are those that `grader verify
/// --mutants` prints of a survivor. Where they stand in several places, the line before them, which
/// begins with two spaces, tells which is meant.
package struct MutantList {
    /// One mutant.
    struct Entry: Equatable {
        let reason: String
        let part: String
        var before: String?
        var old: [String] = []
        var new: [String] = []

        func matches(_ mutant: Mutant) -> Bool {
            part == mutant.part && old == mutant.old && new == mutant.new
                && (before == nil || before == mutant.before)
        }
    }

    let entries: [Entry]
    private let name: String

    /// The list of an exercise; empty when it has none.
    /// - Throws: `MachineFailure` with the line that does not belong there.
    package init(_ exercise: Exercise, _ tree: CourseTree) throws(MachineFailure) {
        let name = "Tests/Submissions/Mutants/\(exercise.id).txt"
        let text = try? String(contentsOfFile: "\(tree.root)/\(name)", encoding: .utf8)
        self = try MutantList(text ?? "", name: name)
    }

    /// Reads a list.
    /// - Throws: `MachineFailure` with the line that does not belong there.
    package init(_ text: String, name: String) throws(MachineFailure) {
        var entries: [Entry] = []
        var reason: [String] = []
        var isReason = false
        for line in text.components(separatedBy: "\n") where !line.isEmpty {
            let rest = String(line.dropFirst(2))
            let last = entries.count - 1
            if !line.hasPrefix("# "), reason.isEmpty || last < 0 && !line.hasPrefix("@@ ") {
                throw MachineFailure("\(name): a reason comes first, and then a part: \(line)")
            }
            switch line.prefix(2) {
            case "# ": reason = isReason ? reason + [rest] : [rest]
            case "@@":
                let part = String(rest.dropFirst())
                entries.append(Entry(reason: reason.joined(separator: " "), part: part))
            case "  ": entries[last].before = rest
            case "- ": entries[last].old.append(rest)
            case "+ ": entries[last].new.append(rest)
            default:
                throw MachineFailure("\(name): a line begins with #, @@, - or +: \(line)")
            }
            isReason = line.hasPrefix("# ")
        }
        self.entries = entries
        self.name = name
    }

    /// The reasons by the names of the mutants that they stand for.
    /// - Throws: `MachineFailure` that names each entry that stands for no mutant, or for several.
    package func reasons(for mutants: [Mutant]) throws(MachineFailure) -> [String: String] {
        var reasons: [String: String] = [:]
        var problems: [String] = []
        for entry in entries {
            let meant = mutants.filter(entry.matches)
            if meant.count == 1 {
                reasons[meant[0].name] = entry.reason
            } else {
                let names = meant.map(\.name).joined(separator: ", ")
                let found = meant.isEmpty ? "stands for no mutant" : "stands for \(names)"
                problems.append("\(name): this \(found):\n\(entry.text)")
            }
        }
        if problems.isEmpty { return reasons }
        throw MachineFailure(
            problems.joined(separator: "\n"),
            help: "`grader verify --mutants` prints a survivor's lines; the line before them tells "
                + "two of them apart.")
    }
}

extension MutantList.Entry {
    fileprivate var text: String {
        (["@@ \(part)"] + (before.map { ["  \($0)"] } ?? []) + old.map { "- \($0)" }
            + new.map { "+ \($0)" }).joined(separator: "\n")
    }
}
