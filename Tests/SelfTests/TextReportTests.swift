import Registry
import Reports
import XCTest

/// A report as a person reads it, whole.
final class TextReportTests: XCTestCase {
    func testATableThenWhatDidNotPass() throws {
        let exercise = try XCTUnwrap(Course.exercise("blocking-udp"))
        let second = try XCTUnwrap(Course.exercise("blocking-tcp"))
        let checks = exercise.checks.enumerated().map { number, check in
            switch number {
            case 0: CheckReport(exercise, check, .failed, message: "What came: nothing")
            case 1, 2: CheckReport(exercise, check, .notRun, message: "It rests on the first.")
            case 3: CheckReport(exercise, check, .notVerified, message: "No tracing here.")
            default: CheckReport(exercise, check, .passed, message: "")
            }
        }
        let report = Report(
            submission: "x",
            exercises: [
                ExerciseReport(exercise, .failed, checks: checks),
                ExerciseReport(second, unjudged: .buildFailed, message: "Server.swift:1:1: error"),
            ], environment: .current)
        let first = exercise.checks[0]
        let third = exercise.checks[3]
        let passed = exercise.checks.count - 4
        XCTAssertEqual(
            TextReport(report: report, terminal: .plain).text,
            """
            01-blocking  Blocking I/O
              ✗ blocking-udp            failed        \(passed)/11 checks   \
            \(report.score)/\(exercise.points) points
              ✗ blocking-tcp            build-failed  0/\(second.checks.count) checks   0/\(second.points) points

            blocking-udp
              ✗ \(exercise.checkID(first)) (failed)
                What came: nothing

              ? \(exercise.checkID(third)) (not-verified)
                No tracing here.

              – 2 checks not run. It rests on the first.

            blocking-tcp
                Server.swift:1:1: error

            Score: \(report.score)/\(report.maxScore) points (\
            \(String(format: "%.0f", report.percent)) %); \(third.points) points could not be \
            verified on this machine and do not count

            """)
    }
}
