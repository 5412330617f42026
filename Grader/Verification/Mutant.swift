// SPDX-License-Identifier: MIT

import Foundation

/// A correct Server.swift with one small edit, made by program, in a learner's part. The suites
/// should fail it, unless the edit changes nothing that the contract asks for.
package struct Mutant: Equatable {
    /// The learner's part in which it stands.
    package let part: String
    /// The line of its first change, from 1 on.
    package let line: Int
    /// What is changed, as in `deletes close(client)` or `!= for ==`.
    package let words: String
    /// The lines that it changes, as they were, without indentation, comments and empty ones; of
    /// many the first.
    package let old: [String]
    /// What they have become.
    package let new: [String]
    /// The line before them.
    package let before: String
    /// The whole file.
    package let text: String

    /// What it is called: `serve:12 deletes close(client)`.
    package var name: String { "\(part):\(line) \(words)" }

    /// Every mutant of a Server.swift, in the order of their places, and no text twice.
    package static func all(of text: String) -> [Mutant] {
        let all = tokens(of: text)
        let source = Source(text)
        var found: [Mutant] = []
        var seen: Set<String> = [text]
        var names: [String: Int] = [:]
        for part in source.parts {
            let range = all.indices { part.bytes.contains($0.bytes.lowerBound) }
            for edit in Mutation.all(all, in: range, of: source.bytes) {
                let made = source.apply(edit, in: part.name)
                guard seen.insert(made.text).inserted else { continue }
                let count = (names[made.name] ?? 0) + 1
                names[made.name] = count
                found.append(count == 1 ? made : made.called("\(made.words) (\(count))"))
            }
        }
        return found
    }

    /// So many of all, spread evenly: the same each time.
    package static func sample(_ count: Int, of all: Int) -> [Int] {
        let count = min(count, all)
        return (0..<all).filter { $0 * count / all != ($0 + 1) * count / all }
    }

    private func called(_ words: String) -> Mutant {
        Mutant(
            part: part, line: line, words: words, old: old, new: new, before: before, text: text)
    }
}

extension [Token] {
    /// The indices of those that stand together and have something in common.
    fileprivate func indices(where belongs: (Token) -> Bool) -> Range<Int> {
        let first = firstIndex(where: belongs) ?? 0
        let last = lastIndex(where: belongs) ?? -1
        return first..<(last + 1)
    }
}

/// A file, its lines and where they begin, and the learner's parts in it.
private struct Source {
    let bytes: [UInt8]
    let lines: [String]
    private let code: [String]
    private let starts: [Int]

    init(_ text: String) {
        bytes = Array(text.utf8)
        lines = text.components(separatedBy: "\n")
        code = Self.code(of: text)
        var start = 0
        starts = lines.map { line in
            defer { start += line.utf8.count + 1 }
            return start
        }
    }

    /// The parts by name, and the bytes of each.
    var parts: [(name: String, bytes: Range<Int>)] {
        let names = partNames(of: lines)
        let learners = Set(names).subtracting(["file", ""])
        return learners.compactMap { name in
            guard let first = names.firstIndex(of: name), let last = names.lastIndex(of: name)
            else { return nil }
            return (name, starts[first]..<(starts[last] + lines[last].utf8.count))
        }.sorted { $0.bytes.lowerBound < $1.bytes.lowerBound }
    }

    func apply(_ edit: Mutation, in part: String) -> Mutant {
        let first = line(at: edit.bytes.lowerBound)
        let last = line(at: edit.bytes.upperBound)
        let end = starts[last] + lines[last].utf8.count
        let before = bytes[..<edit.bytes.lowerBound] + edit.text.utf8
        let new = before[starts[first]...] + bytes[edit.bytes.upperBound..<end]
        return Mutant(
            part: part, line: first + 1, words: edit.words, old: shown(code[first...last]),
            new: shown(Self.code(of: String(decoding: new, as: UTF8.self))),
            before: code[..<first].last { !$0.isEmpty } ?? "",
            text: String(decoding: before + bytes[edit.bytes.upperBound...], as: UTF8.self))
    }

    private func line(at place: Int) -> Int {
        (starts.firstIndex { $0 > place } ?? starts.count) - 1
    }

    /// Lines of code as they are shown: of more than four the first.
    private func shown(_ code: some Sequence<String>) -> [String] {
        let code = code.filter { !$0.isEmpty }
        return code.count > 4 ? [code[0], "…"] : code
    }

    /// Each line without its indentation and its comment.
    private static func code(of text: String) -> [String] {
        text.components(separatedBy: "\n").map { line in
            let code = line.range(of: "// ").map { line[..<$0.lowerBound] } ?? line[...]
            return code.trimmingCharacters(in: .whitespaces)
        }
    }
}
