// SPDX-License-Identifier: MIT

import Foundation
public import Harness
import Registry
public import XCTest

/// The base of every suite: runs a check, and tells XCTest and the grader how it came out.
open class ExerciseChecks: XCTestCase {
    /// The exercise that the suite judges.
    open class var exercise: String { fatalError("A suite names its exercise.") }

    /// Runs one check. The registry has its title, its points and its hint.
    ///
    /// - Parameters:
    ///   - method: The test method, as the registry has it.
    ///   - body: What is done to the server. The first thing that it throws is the verdict.
    public final func check(
        _ method: String = #function, file: StaticString = #filePath, line: UInt = #line,
        _ body: (CheckRun) throws -> Void
    ) throws {
        let method = String(method.prefix { $0 != "(" })
        guard let exercise = Course.exercise(Self.exercise),
            let check = exercise.checks.first(where: { $0.method == method })
        else { return XCTFail("\(Self.exercise).\(method) is not in the registry.") }

        let seed = Self.seed
        let outcome = run(exercise, seed: seed, body)
        let story = FailureStory(
            exercise: exercise, check: check, suite: "\(Self.self)", seed: seed)
        let record = story.record(of: outcome)
        try deliver(record)
        switch record.outcome {
        case .passed: break
        case .failed, .machine: XCTFail("\n" + record.message, file: file, line: line)
        case .unwritten, .notVerified: throw XCTSkip(record.message)
        }
    }

    /// Runs a check; nil when it has passed.
    private func run(
        _ exercise: Exercise, seed: UInt64, _ body: (CheckRun) throws -> Void
    ) -> FailureStory.Outcome? {
        do {
            let run = try CheckRun(
                exercise: exercise.id, subject: .current, seed: seed,
                seconds: exercise.secondsPerCheck)
            do {
                try body(run)
                if let failure = run.verdict(on: nil) { throw failure }
                run.end()
                return nil
            } catch {
                // A scene throws nothing else; the type is left out so that a check is one short line.
                guard let error = error as? CheckFailure else { fatalError("\(error)") }
                var outcome = FailureStory.Outcome(
                    run.unwrittenStub() ?? run.verdict(on: error) ?? error, of: run, exercise)
                let isTraced = run.lastCalls(upTo: error.moment) != nil
                // What it has started ends here: the second run takes what else it finds for orphans.
                run.end()
                if outcome.failure.kind == .failed, !isTraced {
                    learnFromASecondRun(&outcome, exercise, seed: seed, body)
                }
                return outcome
            }
        } catch {
            return FailureStory.Outcome(error)
        }
    }

    /// A server that is not traced runs at its own speed, and leaves no list of its calls. So a check
    /// that has failed is played once more, traced, for that list and for what it shows of the cause.
    /// Nothing is learnt if it passes then.
    private func learnFromASecondRun(
        _ outcome: inout FailureStory.Outcome, _ exercise: Exercise, seed: UInt64,
        _ body: (CheckRun) throws -> Void
    ) {
        guard
            let run = try? CheckRun(
                exercise: exercise.id, subject: .current, seed: seed, seconds: 3,
                tracesEveryServer: true)
        else { return }
        defer { run.end() }
        do {
            try body(run)
        } catch {
            guard let error = error as? CheckFailure, error.kind == .failed,
                let calls = run.lastCalls(upTo: error.moment)
            else { return }
            outcome.server.append("Its last calls, in a second run that was traced: \(calls).")
            let second = FailureStory.Outcome(error, of: run, exercise)
            outcome.cause = second.cause ?? outcome.cause
        }
    }

    private static var seed: UInt64 {
        environmentVariable("WORKBOOK_SEED").flatMap { UInt64($0) }
            ?? UInt64.random(in: 1...999_999)
    }

    /// Descriptor 3 is the grader's pipe when `WORKBOOK_RECORD` is set. The servers do not inherit
    /// it.
    private func deliver(_ record: CheckRecord) throws {
        guard environmentVariable("WORKBOOK_RECORD") != nil else { return }
        try FileHandle(fileDescriptor: 3).write(contentsOf: JSONEncoder().encode(record) + [0x0a])
    }
}
