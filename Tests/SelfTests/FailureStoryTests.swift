import Checks
import Harness
import Registry
import XCTest

/// What a failure says, whole: its parts, and their order.
final class FailureStoryTests: XCTestCase {
    private let exercise = Course.exercises[0]
    private var check: Check { exercise.checks[0] }

    func testAFailureWithItsOwnCauseShowsTheCommonOneBesideIt() {
        let failure = CheckFailure(
            expected: "\"hello\"", found: "\"hel\"\n    ^ byte 3",
            cause: "Some bytes were left out.")
        XCTAssertEqual(
            record(of: failure).message,
            """
            A datagram comes back as it was sent.
              What was done:
                1. the server starts
                2. a datagram is sent
              Expected: "hello"
              What came:
                "hel"
                    ^ byte 3
              The server, afterwards: The server's one thread is in recvfrom(3).
              Likely cause: Some bytes were left out.
              Common cause: \(check.hint)
              Read: chapters/01-blocking.md, “Exercise: blocking-udp”
              Again: WORKBOOK_SEED=7 swift test --filter Suite/testEchoesADatagram
            """)
    }

    func testWhatTheFailureSaysOfTheServerIsNotSaidTwice() {
        let activity = "The server's one thread is in recvfrom(3)."
        let failure = CheckFailure(expected: "a reply", found: "nothing. \(activity)")
        let message = record(of: failure).message
        XCTAssertEqual(message.components(separatedBy: activity).count, 2, message)
        XCTAssertFalse(message.contains("Likely cause"), message)
        XCTAssert(message.contains("  Common cause: \(check.hint)"), message)
    }

    func testOtherKindsAreOneSentence() {
        let notVerified = record(of: .notVerified("This machine does not permit tracing."))
        XCTAssertEqual(notVerified.outcome, .notVerified)
        XCTAssertEqual(notVerified.message, "This machine does not permit tracing.")
        let machine = record(of: .machine("There is no executable."))
        XCTAssertEqual(machine.outcome, .machine)
        XCTAssertEqual(machine.message, "There is no executable.")
        XCTAssertEqual(record(of: nil).outcome, .passed)
        XCTAssertEqual(record(of: nil).check, exercise.checkID(check))
    }

    private func record(of failure: CheckFailure?) -> CheckRecord {
        var outcome = failure.map(FailureStory.Outcome.init)
        outcome?.steps = "1. the server starts\n2. a datagram is sent"
        outcome?.server = ["The server's one thread is in recvfrom(3)."]
        return FailureStory(exercise: exercise, check: check, suite: "Suite", seed: 7)
            .record(of: outcome)
    }
}
