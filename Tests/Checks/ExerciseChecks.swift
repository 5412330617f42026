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
        let failure = run(exercise, seed: seed, body)
        let story = FailureStory(
            exercise: exercise, check: check, suite: "\(Self.self)", seed: seed)
        let record = story.record(of: failure?.0, steps: failure?.1 ?? "", after: failure?.2 ?? [])
        try deliver(record)
        switch record.outcome {
        case .passed: break
        case .failed, .machine: XCTFail("\n" + record.message, file: file, line: line)
        case .unwritten, .notVerified: throw XCTSkip(record.message)
        }
    }

    private func run(
        _ exercise: Exercise, seed: UInt64, _ body: (CheckRun) throws -> Void
    ) -> (CheckFailure, String, [String])? {
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
                let failure = run.unwrittenStub() ?? run.verdict(on: error) ?? error
                var after = run.aftermath
                // What it has started ends here: the second run takes what else it finds for orphans.
                run.end()
                if failure.kind == .failed, run.lastCalls == nil {
                    after += lastCallsOfASecondRun(exercise, seed: seed, body).map { [$0] } ?? []
                }
                return (failure, run.transcript.text, after)
            }
        } catch {
            return (error, "", [])
        }
    }

    /// A server that is not traced runs at its own speed, and leaves no list of its calls. So a check
    /// that has failed is played once more, traced, for that list alone. Nil if it fails another way.
    private func lastCallsOfASecondRun(
        _ exercise: Exercise, seed: UInt64, _ body: (CheckRun) throws -> Void
    ) -> String? {
        guard
            let run = try? CheckRun(
                exercise: exercise.id, subject: .current, seed: seed, seconds: 3,
                tracesEveryServer: true)
        else { return nil }
        defer { run.end() }
        guard (try? body(run)) == nil else { return nil }
        return run.lastCalls.map { "Its last calls, in a second run that was traced: \($0)." }
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
