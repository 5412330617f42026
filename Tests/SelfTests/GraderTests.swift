import Registry
import Foundation
import Harness
import XCTest

/// The command line from outside: what it prints where, and its exit statuses.
final class GraderTests: XCTestCase {
    func testListShowsEveryExercise() throws {
        let (status, output, _) = try grader(["list"])
        XCTAssertEqual(status, .exited(0))
        for exercise in Course.exercises { XCTAssert(output.contains(exercise.id), exercise.id) }
    }

    func testTheDashboardNamesTheNextExercise() throws {
        let (status, output, _) = try grader([])
        XCTAssertEqual(status, .exited(0))
        XCTAssert(output.contains("Next: ") || output.contains("Everything is done"), output)
    }

    func testBadRequestsEndWith2AndSayWhatToDo() throws {
        for (arguments, error, help) in [
            (["chek"], "There is no verb 'chek'.", "Choose one"),
            (["check", "blockin-udp"], "There is no exercise 'blockin-udp'.", "blocking-udp"),
            (["grade"], "`grader grade` takes one submission.", "Usage:"),
            (["grade", "/nonexistent"], "There is no submission at /nonexistent.", "Help:"),
            (["grade", "x", "--format", "xml"], "There is no format 'xml'", "Usage:"),
            (["grade", "x", "--pass-at", "200"], "--pass-at takes a number", "Usage:"),
            (["grade", "x", "--output"], "The option --output needs a value.", "Usage:"),
            (["grade", "x", "--colour", "1"], "There is no option --colour here.", "Usage:"),
            (["grade", ".", "--exercises", "../etc"], "There is no exercise '../etc'.", "list"),
            (["verify", "--runs", "0"], "--runs takes a number", "Usage:"),
        ] {
            let (status, output, errors) = try grader(arguments)
            XCTAssertEqual(status, .exited(2), "\(arguments)")
            XCTAssertEqual(output, "", "\(arguments)")
            XCTAssert(errors.hasPrefix("Error: \(error)"), errors)
            XCTAssert(errors.contains(help), errors)
        }
    }

    func testOutsideOfTheWorkbookItSaysWhereToGo() throws {
        let (status, _, errors) = try grader([], directory: "/")
        XCTAssertEqual(status, .exited(2))
        XCTAssert(errors.contains("is not inside the workbook"), errors)
    }

    func testWithoutAToolchainTheMachineIsAtFault() throws {
        let (status, _, errors) = try grader(
            ["grade", "Solutions"], environment: ["PATH": "/nonexistent"])
        XCTAssertEqual(status, .exited(3))
        XCTAssert(errors.hasPrefix("Error: There is no `swift` command in PATH."), errors)
    }

    private func grader(
        _ arguments: [String], environment: [String: String] = [:], directory: String = Tree.root
    ) throws -> (ExitStatus?, String, String) {
        let path = try Subject.directory(Tree.buildDirectory).executable(of: "grader")
        let process = try ChildProcess(
            path, arguments, environment: environment, directory: directory)
        let status = process.wait(until: Deadline(seconds: 60))
        return (
            status, String(decoding: process.standardOutput, as: UTF8.self),
            String(decoding: process.standardError, as: UTF8.self)
        )
    }
}
