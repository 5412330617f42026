import Pipeline
import Registry
import Reports
import Verification
import XCTest

/// The judges of the judges: what counts as a false accept, a false reject, another reason, a flake.
final class VerificationTests: XCTestCase {
    private let exercise = Course.exercises[0]
    private var check: Check { exercise.checks[0] }

    func testAMistakeThatPassesItsCheckIsAFalseAccept() {
        XCTAssertEqual(wrong("came late").judge(report(.passed)), .falseAccept)
        XCTAssertEqual(wrong("came late").judge(report(.notRun)), .otherReason)
    }

    func testTheReasonStandsInWhatWasExpectedOrCame() {
        let trial = wrong("came late")
        XCTAssertEqual(trial.judge(report(.failed, story(found: "it came late"))), .right)
        XCTAssertEqual(trial.judge(report(.failed, story(expected: "came late? no"))), .right)
        XCTAssertEqual(trial.judge(report(.failed, story(found: "nothing"))), .otherReason)
        // What is printed whatever came: the steps, the title, the check's own hint.
        XCTAssertEqual(trial.judge(report(.failed, story(step: "it came late"))), .otherReason)
        for said in [check.title, check.hint] {
            XCTAssertEqual(wrong(said).judge(report(.failed, story())), .otherReason)
        }
    }

    func testACorrectSubmissionMustHaveFullMarks() {
        let trial = Trial(.right, exercise, "x", .missing)
        XCTAssertEqual(trial.judge(report(.passed, others: .passed)), .right)
        XCTAssertEqual(trial.judge(report(.passed, others: .notVerified)), .falseReject)
        XCTAssertEqual(trial.judge(report(.failed)), .falseReject)
    }

    func testMostRunsOfAMistakeDecideAndTheRatesCountEach() {
        let good = report(.failed, story(found: "came late"))
        let once = Outcome(trial: wrong("came late"), reports: [report(.passed), good, good])
        XCTAssertEqual(once.verdict, .right)
        let twice = Outcome(
            trial: wrong("came late"), reports: [report(.passed), report(.passed), good])
        XCTAssertEqual(twice.verdict, .falseAccept)
        let rates = Rates(outcomes: [once, twice], isUnderLoad: false, isWhole: true)
        XCTAssertFalse(rates.areClean)
        XCTAssert(
            rates.markdown.contains("(a wrong submission passes its check) | 6 | 3 |"),
            rates.markdown)
    }

    func testAVerdictThatChangesIsAFlake() {
        let trial = Trial(.solution, exercise, "solution", .missing)
        let steady = Outcome(trial: trial, reports: [report(.passed), report(.passed)])
        XCTAssertEqual(steady.flaky, [])
        let flaky = Outcome(trial: trial, reports: [report(.passed), report(.failed)])
        XCTAssertEqual(flaky.flaky, [exercise.checkID(check)])
        XCTAssertEqual(Rates(outcomes: [flaky], isUnderLoad: false, isWhole: true).flakes.count, 1)
    }

    func testAHiddenCheckThatNothingFailsIsNamed() {
        let rates = Rates(outcomes: [], isUnderLoad: false, isWhole: true)
        XCTAssertEqual(rates.unproven, [])
        let hidden = exercise.checks.filter { $0.visibility == .hidden }
        let solution = Outcome(
            trial: Trial(.solution, exercise, "solution", .missing),
            reports: [report(.passed, others: .passed)])
        XCTAssertEqual(
            Rates(outcomes: [solution], isUnderLoad: false, isWhole: true).unproven,
            hidden.map(exercise.checkID))
    }

    func testTheCauseMustStandInTheFirstMessage() {
        let trial = Trial(
            .wrong, exercise, "x", .missing, caughtBy: check.method, says: "came late",
            cause: "SECOND time")
        let named = report(.failed, story(found: "close(7) for the second time"))
        let unnamed = report(.failed, story(found: "it came late"))
        XCTAssertEqual(trial.namesCause(named), true)
        XCTAssertEqual(trial.namesCause(unnamed), false)
        XCTAssertEqual(trial.namesCause(report(.failed, story(step: "a second time"))), false)
        XCTAssertNil(wrong("came late").namesCause(named))
        let outcomes = [named, unnamed].map { Outcome(trial: trial, reports: [$0]) }
        let rates = Rates(outcomes: outcomes, isUnderLoad: false, isWhole: true)
        XCTAssertEqual(rates.causes, "causes named: 1 of 2 edits that say one")
        XCTAssertEqual(rates.unnamed.count, 1)
        XCTAssert(rates.markdown.contains("grading says its cause) | 2 | 1 |"), rates.markdown)
        // Only the check that must see it was run: nobody knows the first message.
        let part = Rates(outcomes: outcomes, isUnderLoad: false, isWhole: false)
        XCTAssertFalse(part.markdown.contains("causes named"))
    }

    private func wrong(_ says: String) -> Trial {
        Trial(.wrong, exercise, "x", .missing, caughtBy: check.method, says: says)
    }

    private func story(
        step: String = "it starts", expected: String = "a line", found: String = "no line"
    ) -> String {
        """
        \(check.title)
          What was done:
            1. \(step)
          Expected: \(expected)
          What came: \(found)
          Common cause: \(check.hint)
          Read: \(exercise.reading)
        """
    }

    /// A report in which the first check came out so, and all others otherwise.
    private func report(
        _ status: CheckReport.Status, _ message: String = "",
        others: CheckReport.Status = .passed
    ) -> ExerciseReport {
        let first = CheckReport(exercise, check, status, message: message)
        let rest = exercise.checks.dropFirst().map {
            CheckReport(exercise, $0, others, message: "")
        }
        return ExerciseReport(
            exercise, status == .passed ? .passed : .failed, checks: [first] + rest)
    }
}
