import Harness
import Registry
import XCTest

/// A stub and its solution are one program, but for the learner's part of Server.swift.
final class TwinTests: XCTestCase {
    func testGivenFilesAreEqual() throws {
        for exercise in Course.exercises {
            let names = Set(directory(Tree.path("Exercises/\(exercise.path)")))
            XCTAssertEqual(names, Set(directory(Tree.path("Solutions/\(exercise.path)"))))
            for name in names where !exercise.learnerFiles.contains(name) {
                XCTAssertEqual(
                    try Tree.text("Exercises/\(exercise.path)/\(name)"),
                    try Tree.text("Solutions/\(exercise.path)/\(name)"), "\(exercise.id)/\(name)")
            }
        }
    }

    func testServersDifferInTheLearnersPartOnly() throws {
        for exercise in Course.exercises {
            let stub = try parts(of: "Exercises/\(exercise.path)/Server.swift")
            let solution = try parts(of: "Solutions/\(exercise.path)/Server.swift")
            XCTAssertEqual(stub.given, solution.given, exercise.id)
            XCTAssertEqual(stub.learners.count, solution.learners.count, exercise.id)
            XCTAssertFalse(stub.learners.isEmpty, "\(exercise.id) has no learner's part")
            for part in stub.learners {
                XCTAssert(part.contains("// TODO: "), "\(exercise.id): a part without a task")
                XCTAssert(
                    part.contains("unwritten("), "\(exercise.id): a part that does not say 69")
            }
            for part in solution.learners {
                XCTAssertFalse(part.contains("unwritten("), "\(exercise.id) is not solved")
                XCTAssertFalse(part.contains("TODO"), "\(exercise.id) is not solved")
            }
        }
    }

    /// What stands between `//> your part` and `//< your part`, and what stands outside.
    private func parts(of path: String) throws -> (given: [String], learners: [String]) {
        var given: [String] = []
        var learners: [String] = []
        var isInside = false
        for line in try Tree.text(path).components(separatedBy: "\n") {
            if line.contains("//< your part") { isInside = false }
            if isInside { learners[learners.count - 1] += line + "\n" } else { given.append(line) }
            if line.contains("//> your part") {
                isInside = true
                learners.append("")
            }
        }
        return (given, learners)
    }
}
