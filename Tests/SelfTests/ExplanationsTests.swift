import Registry
import Reports
import XCTest

/// The order in which failures are told: what explains most comes first, and is told once.
final class ExplanationsTests: XCTestCase {
    private let exercise = Course.exercises[0]

    func testTheCauseThatExplainsMostIsToldOnceAndFirst() throws {
        let methods = exercise.checks.map(\.method)
        let report = report([
            methods[1]: (.failed, "rare"), methods[3]: (.failed, "frequent"),
            methods[4]: (.failed, nil), methods[5]: (.failed, "frequent"),
        ])
        let told = report.explanations
        XCTAssertEqual(
            told.map(\.told.id), [3, 1, 4].map { exercise.checkID(exercise.checks[$0]) })
        XCTAssertEqual(told[0].others.map(\.id), [exercise.checkID(exercise.checks[5])])
        let text = TextReport(
            report: Report(submission: "x", exercises: [report], environment: .current),
            terminal: .plain
        ).text
        XCTAssert(
            text.contains(
                """
                    The same cause explains 1 more check that failed:
                      ✗ \(exercise.checkID(exercise.checks[5])) (failed): \(exercise.checks[5].title)
                """), text)
    }

    func testChecksThatWereNotRunCountForWhatTheyRestOn() {
        let methods = exercise.checks.map(\.method)
        // Most checks rest on the first one.
        var statuses: [String: (CheckReport.Status, String?)] = [:]
        for check in exercise.checks where check.restsOn == methods[0] {
            statuses[check.method] = (.notRun, nil)
        }
        statuses[methods[0]] = (.failed, nil)
        statuses[methods[methods.count - 1]] = (.notVerified, nil)
        let told = report(statuses).explanations
        XCTAssertEqual(told.map(\.told.status), [.failed, .notVerified])
    }

    private func report(_ statuses: [String: (CheckReport.Status, String?)]) -> ExerciseReport {
        let checks = exercise.checks.map { check in
            let (status, cause) = statuses[check.method] ?? (.passed, nil)
            return CheckReport(exercise, check, status, message: "", cause: cause)
        }
        return ExerciseReport(exercise, .failed, checks: checks)
    }
}
