import Foundation
import Pipeline
import Registry
import Reports
import XCTest

/// The JSON report is schema 1, as DESIGN says it: the keys, their types and the words.
final class ReportTests: XCTestCase {
    func testJSONHasTheKeysOfSchema1() throws {
        let report = try sample()
        let value = try XCTUnwrap(
            JSONSerialization.jsonObject(with: report.json()) as? [String: Any])
        XCTAssertEqual(
            Set(value.keys),
            ["schema", "submission", "score", "max_score", "exercises", "environment"])
        XCTAssertEqual(value["schema"] as? Int, 1)
        XCTAssertEqual(value["score"] as? Int, 2)
        let exercises = try XCTUnwrap(value["exercises"] as? [[String: Any]])
        let exercise = try XCTUnwrap(exercises.first)
        XCTAssertEqual(
            Set(exercise.keys), ["id", "chapter", "status", "score", "max_score", "checks"])
        let check = try XCTUnwrap((exercise["checks"] as? [[String: Any]])?.first)
        XCTAssertEqual(
            Set(check.keys),
            [
                "id", "title", "status", "score", "max_score", "visibility", "message", "hint",
                "duration",
            ])
        XCTAssertEqual(check["id"] as? String, "blocking-udp.testEchoesADatagram")
        XCTAssertEqual(check["visibility"] as? String, "public")
        XCTAssertEqual(check["duration"] as? Double, 0.25)
    }

    func testTheWordsAreThoseOfTheContract() {
        let exercise: [ExerciseReport.Status] = [
            .passed, .failed, .notStarted, .buildFailed, .missing,
        ]
        XCTAssertEqual(
            exercise.map(\.rawValue),
            ["passed", "failed", "not-started", "build-failed", "missing"])
        let check: [CheckReport.Status] = [
            .passed, .failed, .timedOut, .crashed, .notRun, .notVerified, .graderError,
        ]
        XCTAssertEqual(
            check.map(\.rawValue),
            [
                "passed", "failed", "timed-out", "crashed", "not-run", "not-verified",
                "grader-error",
            ])
    }

    func testAReportCanBeReadAgain() throws {
        let report = try sample()
        XCTAssertEqual(try JSONDecoder().decode(Report.self, from: report.json()), report)
    }

    func testWhatCannotBeVerifiedDoesNotCount() throws {
        let exercise = Course.exercises[0]
        let checks = exercise.checks.enumerated().map { number, check in
            CheckReport(exercise, check, number == 0 ? .passed : .notVerified, message: "")
        }
        let report = Report(
            submission: "x", exercises: [ExerciseReport(exercise, .passed, checks: checks)],
            environment: .current)
        XCTAssertEqual(report.score, exercise.checks[0].points)
        XCTAssertGreaterThan(report.maxScore, report.score)
        XCTAssertEqual(report.percent, 100, "of the points that could be verified")
        XCTAssertFalse(report.hasGraderError)
        XCTAssertEqual(try sample(status: "not-verified", score: 0).percent, 0, "there are none")
        XCTAssert(try sample(status: "grader-error", score: 0).hasGraderError)
        XCTAssertEqual(try sample().percent, 100)
    }

    /// A report as another program might have written it.
    private func sample(status: String = "passed", score: Int = 2) throws -> Report {
        let text = """
            {"schema": 1, "submission": "x", "score": \(score), "max_score": 2, "exercises": [
              {"id": "blocking-udp", "chapter": "01-blocking", "status": "passed",
               "score": \(score), "max_score": 2, "checks": [
                {"id": "blocking-udp.testEchoesADatagram", "title": "t", "status": "\(status)",
                 "score": \(score), "max_score": 2, "visibility": "public", "message": "",
                 "hint": "h", "duration": 0.25}]}],
             "environment": {"kernel": "6.1", "architecture": "x86_64", "processors": 2,
                             "open_files": 1024, "time_scale": 1}}
            """
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    }
}
