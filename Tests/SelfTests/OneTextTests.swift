import Registry
import XCTest

/// The reference servers are one text: from one model to the next, only the model changes.
final class OneTextTests: XCTestCase {
    /// Prints how many lines of code go and come, and holds a ceiling a little above what it is.
    func testNeighbouringModelsDifferByTheModel() throws {
        for (first, second, ceiling) in [
            ("blocking-tcp", "thread-per-connection", 40), ("nonblocking-tcp", "select-echo", 125),
            ("select-echo", "pselect-drain", 85), ("select-echo", "poll-echo", 70),
            ("poll-echo", "epoll-echo", 75), ("epoll-echo", "epoll-edge", 150),
        ] {
            let changes = try code(second).difference(from: try code(first))
            print("\(first) → \(second): \(changes.count) lines of code go or come")
            XCTAssertLessThanOrEqual(changes.count, ceiling, "\(first) → \(second)")
        }
    }

    /// The lines of a solution, without comments and without how far they are indented.
    private func code(_ id: String) throws -> [String] {
        let exercise = try XCTUnwrap(Course.exercise(id))
        return try Tree.text("Solutions/\(exercise.path)/Server.swift").split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("//") }
    }

    /// What a learner is to write must not lie in a module that the exercise may import: `return try
    /// openListener(port: port)` would be the whole of `makeListener`.
    func testWhatIsToBeWrittenCannotBeImported() throws {
        for exercise in Course.exercises {
            let given = try (["Support"] + exercise.given).flatMap { module in
                try publicNames(below: "Exercises/\(module)")
            }
            let text = try Tree.text("Solutions/\(exercise.path)/Server.swift")
            // A type of the same name that says so is another one: epoll-edge's Connection.
            let own = try names(in: text, after: #"^(?:final )?(?:func|class|struct) "#)
            for name in own where !text.contains("This `\(name)` replaces the given one.") {
                XCTAssertFalse(given.contains(name), "\(exercise.id) can import \(name)")
            }
        }
        let writesItself = ["blocking-tcp": "openListener", "nonblocking-tcp": "Connection"]
        for (id, name) in writesItself {
            let given = try (["Support"] + XCTUnwrap(Course.exercise(id)).given).flatMap {
                try publicNames(below: "Exercises/\($0)")
            }
            XCTAssertFalse(given.contains(name), "\(id) can import \(name)")
        }
    }

    private func publicNames(below folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Tree.path(folder)).flatMap { file in
            try names(
                in: Tree.text("\(folder)/\(file)"),
                after: #"^public (?:final )?(?:func|class|struct|enum) "#)
        }
    }

    private func names(in text: String, after pattern: String) throws -> [String] {
        let regex = try NSRegularExpression(
            pattern: pattern + #"(\w+)"#, options: .anchorsMatchLines)
        return regex.matches(in: text, range: NSRange(text.startIndex..., in: text)).compactMap {
            Range($0.range(at: 1), in: text).map { String(text[$0]) }
        }
    }
}
