// SPDX-License-Identifier: MIT

import Foundation
package import Pipeline

/// A submission written as what it is: a few places of a correct Server.swift, and what stands there
/// instead. Wrong ones are mostly edits; a Right one may be.
///
///     Caught by: epoll-echo.testForgetsTheGone
///     Says: never rested
///     Cause: close each copy
///     The mistake: It keeps a copy of each descriptor, and closes only the first.
///     Base: solution
///
///     @@ proceed
///          connections[socket] = nil
///     -    close(socket)
///
/// A hunk names a learner's part, or `file` for what stands outside of all parts. Its lines begin with
/// a space where they stay, with `-` where they go and with `+` where they come. Those that stay and
/// go must stand there together exactly once.
package struct Edit: Equatable {
    /// One place, and what it is to become.
    struct Hunk: Equatable {
        let part: String
        let old: [String]
        let new: [String]
    }

    /// The `Name: value` lines at the top.
    package let header: [String: String]
    let hunks: [Hunk]

    /// The correct submission that it changes: `solution`, or the name of a Right one.
    package var base: String { header["Base"] ?? "" }

    /// Reads an edit.
    /// - Throws: `MachineFailure` with the line that does not belong there.
    package init(_ text: String, name: String) throws(MachineFailure) {
        var lines = text.components(separatedBy: "\n")[...]
        header = fields(of: lines.prefix { !$0.hasPrefix("@@ ") })
        lines = lines.drop { !$0.hasPrefix("@@ ") }
        var hunks: [Hunk] = []
        while let title = lines.popFirst() {
            let body = lines.prefix { !$0.hasPrefix("@@ ") }
            lines = lines.dropFirst(body.count)
            hunks.append(try Hunk(part: String(title.dropFirst(3)), body, name))
        }
        self.hunks = hunks
        guard !base.isEmpty, (1...3).contains(hunks.count) else {
            throw MachineFailure(
                "\(name) has \(hunks.count) hunks, and the base '\(base)'.",
                help: "An edit has a line `Base:` and one to three hunks.")
        }
    }

    /// Makes the whole file of the mistake.
    /// - Parameter text: The base's Server.swift.
    /// - Throws: `MachineFailure` when a hunk's old lines are not there exactly once.
    package func apply(to text: String, name: String) throws(MachineFailure) -> String {
        var lines = text.components(separatedBy: "\n")
        for hunk in hunks {
            let parts = partNames(of: lines)
            let places = lines.indices.filter { start in
                let range = start..<(start + hunk.old.count)
                return range.upperBound <= lines.count && Array(lines[range]) == hunk.old
                    && parts[range].allSatisfy { $0 == hunk.part }
            }
            guard let place = places.first, places.count == 1 else {
                let times = places.isEmpty ? "nowhere" : "\(places.count) times"
                throw MachineFailure(
                    "\(name) no longer applies to \(base): these lines stand \(times) in "
                        + "'\(hunk.part)':\n\(hunk.old.joined(separator: "\n"))",
                    help: "Write the mistake anew, for the lines as they are now.")
            }
            lines.replaceSubrange(place..<(place + hunk.old.count), with: hunk.new)
        }
        return lines.joined(separator: "\n")
    }
}

extension Edit.Hunk {
    fileprivate init(
        part: String, _ body: ArraySlice<String>, _ name: String
    ) throws(MachineFailure) {
        var old: [String] = []
        var new: [String] = []
        // The empty lines before the next hunk are none of this one's.
        let last = body.lastIndex { !$0.isEmpty } ?? body.startIndex
        for line in body[body.startIndex...last] {
            let text = String(line.dropFirst())
            switch line.first {
            case " ", nil:
                old.append(text)
                new.append(text)
            case "-": old.append(text)
            case "+": new.append(text)
            default:
                throw MachineFailure(
                    "\(name): a line of a hunk begins with neither space, - nor +: \(line)")
            }
        }
        self.init(part: part, old: old, new: new)
    }
}

/// Of each line the learner's part in which it stands; `file` outside of all, and nothing for the marks.
func partNames(of lines: [String]) -> [String] {
    var part = "file"
    return lines.map { line in
        let words = line.trimmingPrefix { $0 == " " }
        if words.hasPrefix("//< your part") {
            part = "file"
            return ""
        }
        guard words.hasPrefix("//> your part: ") else { return part }
        part = String(words.dropFirst("//> your part: ".count))
        return ""
    }
}

/// The `Name: value` lines among these.
func fields(of lines: some Sequence<some StringProtocol>) -> [String: String] {
    var fields: [String: String] = [:]
    for line in lines {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { continue }
        fields[String(parts[0])] = String(parts[1].trimmingPrefix { $0 == " " })
    }
    return fields
}
