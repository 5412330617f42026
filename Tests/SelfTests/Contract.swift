import Foundation
import Registry
import XCTest

/// What a text promises of a server: its bullets and its rows of tables.
struct Contract {
    /// All of it.
    let text: String
    /// Its bullets, and the rows of its tables.
    let items: [Item]

    /// A bullet or a row, and the checks that look at it.
    ///
    /// The checks stand in a comment at its end, which a reader of the rendered text does not see:
    ///
    ///     - A client that has finished sending still gets everything, and then the end.
    ///       <!-- testEchoesAfterHalfClose or testSendsTheRestBeforeTheEnd (not epoll-echo) -->
    ///
    /// Commas separate what is looked at, `or` the names that one check has in several exercises.
    /// The exercises in parentheses have no such check. A comment that begins with `not NAME, NAME:`
    /// belongs to a promise that these exercises do not make.
    struct Item {
        /// One thing that is looked at.
        struct Demand {
            /// The names of the check: each exercise has one of them.
            let methods: [String]
            /// The exercises that have none of them.
            let missing: [String]
        }

        /// Where it stands: `chapters/04-poll.md:181`.
        let place: String
        /// What is looked at; nothing if no comment says so.
        let demands: [Demand]
        /// The exercises that it does not apply to.
        let exceptions: [String]
    }

    /// The contract of an exercise.
    init(of exercise: Exercise) throws {
        let document = "chapters/\(exercise.text).md"
        let lines = try Tree.text(document).components(separatedBy: "\n")
        let section = try XCTUnwrap(lines.firstIndex(of: "## \(exercise.section)"), exercise.id)
        try self.init(document, lines, from: section, heading: "### The contract")
    }

    /// What stands under a heading.
    init(in document: String, heading: String) throws {
        let lines = try Tree.text(document).components(separatedBy: "\n")
        try self.init(document, lines, from: 0, heading: heading)
    }

    private init(_ document: String, _ lines: [String], from: Int, heading: String) throws {
        let start = try XCTUnwrap(
            lines[from...].firstIndex(of: heading), "\(document):\(from + 1): no “\(heading)”")
        let body = lines.indices.dropFirst(start + 1).prefix { !lines[$0].hasPrefix("#") }
        let starts = body.filter { lines[$0].hasPrefix("- ") || lines[$0].hasPrefix("| `") }
        text = body.map { lines[$0] }.joined(separator: "\n")
        items = try starts.map { first in
            let rest = body.drop { $0 <= first }.prefix { !starts.contains($0) && lines[$0] != "" }
            let words = ([first] + rest).map { lines[$0].trimmingCharacters(in: .whitespaces) }
            return try Item(words.joined(separator: " "), at: "\(document):\(first + 1)")
        }
    }
}

extension Contract.Item {
    fileprivate init(_ text: String, at place: String) throws {
        self.place = place
        let comment = text.part(from: "<!-- ", to: " -->") ?? ""
        let except = comment.hasPrefix("not ") ? comment.part(from: "not ", to: ": ") : nil
        exceptions = except?.components(separatedBy: ", ") ?? []
        let checks = comment.dropFirst(except.map { "not \($0): ".count } ?? 0)
        let demands = checks.replacing(#/, (?![^(]*\))/#, with: "\n").split(separator: "\n")
        self.demands = try demands.map { demand in
            let match = try XCTUnwrap(
                demand.wholeMatch(of: #/(test\w+(?: or test\w+)*)(?: \(not ([^)]*)\))?/#),
                "\(place): what is “\(demand)”?")
            return Demand(
                methods: match.1.components(separatedBy: " or "),
                missing: match.2?.components(separatedBy: ", ") ?? [])
        }
    }
}

extension String {
    /// What stands between the first of these words and the next of those.
    fileprivate func part(from start: String, to end: String) -> String? {
        guard let from = range(of: start)?.upperBound,
            let to = range(of: end, range: from..<endIndex)?.lowerBound
        else { return nil }
        return String(self[from..<to])
    }
}
