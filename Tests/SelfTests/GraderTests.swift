import Foundation
import Harness
import Registry
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

    func testBadRequestsEndWith2AndSayWhatToDoInThreeLines() throws {
        for (arguments, error, help) in [
            (["chek"], "There is no verb 'chek'.", "Did you mean `grader check`?"),
            (["check", "blockin-udp"], "There is no exercise 'blockin-udp'.", "blocking-udp"),
            (["grade"], "`grader grade` takes one submission.", "Usage: grader grade SUBMISSION"),
            (["grade", "/nonexistent"], "There is no submission at /nonexistent.", "Help:"),
            (["grade", "x", "--format", "xml"], "There is no format 'xml'", "Usage:"),
            (["grade", "x", "--pass-at", "200"], "--pass-at takes a number", "Usage:"),
            (["grade", "x", "--output"], "The option --output needs a value.", "Usage:"),
            (["grade", "x", "--colour", "1"], "There is no option --colour here.", "Usage:"),
            (["grade", ".", "--exercises", "../etc"], "There is no exercise '../etc'.", "list"),
            (["verify", "--runs", "0"], "--runs takes a number", "Usage: grader verify"),
            (["verify", "--sample", "9"], "--sample goes with --mutants.", "Usage: grader verify"),
            (
                ["verify", "--mutants", "--whole"], "--mutants and --whole do not go together.",
                "Usage: grader verify"
            ),
            (["help", "chek"], "There is no verb 'chek'.", "grader help"),
        ] {
            let (status, output, errors) = try grader(arguments)
            XCTAssertEqual(status, .exited(2), "\(arguments)")
            XCTAssertEqual(output, "", "\(arguments)")
            XCTAssert(errors.hasPrefix("Error: \(error)"), errors)
            XCTAssert(errors.contains(help), errors)
            XCTAssertLessThanOrEqual(errors.split(separator: "\n").count, 3, errors)
        }
    }

    func testEachVerbHasItsHelp() throws {
        let (status, overview, _) = try grader(["help"])
        XCTAssertEqual(status, .exited(0))
        for verb in ["list", "check", "grade", "trace", "verify"] {
            XCTAssert(overview.contains("grader \(verb)"), overview)
            for arguments in [[verb, "--help"], ["help", verb]] {
                let (status, output, errors) = try grader(arguments)
                XCTAssertEqual(status, .exited(0), errors)
                XCTAssert(output.contains("\nUsage: grader \(verb)"), output)
            }
        }
        let (_, version, _) = try grader(["--version"])
        XCTAssertEqual(version, "grader \(Course.version), reports of schema 1\n")
    }

    /// A place that cannot be written is found before anything is judged.
    func testAnOutputThatCannotBeWrittenIsFoundAtOnce() throws {
        for arguments in [["grade", "."], ["trace", "blocking-udp"]] {
            let (status, _, errors) = try grader(arguments + ["--output", "/nonexistent/r.json"])
            XCTAssertEqual(status, .exited(2))
            XCTAssert(
                errors.hasPrefix(
                    "Error: /nonexistent/r.json cannot be written: No such file or directory.\n"),
                errors)
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
