// SPDX-License-Identifier: MIT

/// The registry of the course. Package.swift has the same table of ids, because a manifest cannot
/// import a module; the course tests compare the two.
public enum Course {
    /// The course's version, which `grader --version` prints: the chapters that are complete.
    public static let version = "0.5"

    /// The chapters in order.
    public static let chapters: [Chapter] = [blocking, nonblocking, select, poll, epoll]

    /// Every exercise, in the order of the course.
    public static var exercises: [Exercise] { chapters.flatMap(\.exercises) }

    /// The exercise with this id, or nil.
    public static func exercise(_ id: String) -> Exercise? { exercises.first { $0.id == id } }

    /// The ids that look most like a mistyped one, best first; at most three.
    public static func ids(nearest wanted: String) -> [String] {
        nearest(to: wanted, of: exercises.map(\.id))
    }

    /// Of some names those that look most like a mistyped one, best first; at most three.
    public static func nearest(to wanted: String, of names: [String]) -> [String] {
        names.map { ($0, distance(wanted, $0)) }
            .filter { $0.1 <= max(3, $0.0.count / 2) }
            .sorted { $0.1 < $1.1 }
            .prefix(3).map(\.0)
    }

    /// How many letters must be put in, left out or replaced to make one word of the other.
    static func distance(_ first: String, _ second: String) -> Int {
        let second = Array(second)
        var row = Array(0...second.count)
        for (i, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in second.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[second.count]
    }
}
