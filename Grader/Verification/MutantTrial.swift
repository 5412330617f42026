// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Pipeline
import Registry
import Reports

/// What has become of a mutant.
package struct MutantOutcome {
    /// How it ended.
    package enum Verdict: Equatable {
        /// It is no program, and says nothing about the suites.
        case doesNotCompile
        /// A check did not pass; its method.
        case caught(by: String)
        /// All checks passed.
        case survived
        /// The grader or the machine failed; why.
        case notJudged(String)
    }

    package let mutant: Mutant
    package let verdict: Verdict
    /// How often all its checks were passed before one was not.
    package let timesSurvived: Int

    /// A mutant, how it ended, and how often it has survived before.
    package init(_ mutant: Mutant, _ verdict: Verdict, timesSurvived: Int) {
        self.mutant = mutant
        self.verdict = verdict
        self.timesSurvived = timesSurvived
    }

    /// Whether it is caught now and then only.
    package var isSometimes: Bool {
        if case .caught = verdict { return timesSurvived > 0 }
        return false
    }
}

/// One mutant on its way: it is compiled, and then run by one check after the other, until one does
/// not pass. Whoever owns it waits until its process ends, and lets it proceed.
final class MutantTrial {
    /// What all mutants of an exercise have in common.
    struct Setting {
        let exercise: Exercise
        let compilation: Recompilation
        let suites: String
        /// The quick ones first.
        let checks: [Check]
    }

    private enum State {
        case compiling(ChildProcess, Deadline)
        case checking(RunningCheck, left: ArraySlice<Check>)
    }

    private let setting: Setting
    private let mutant: Mutant
    private let times: Int
    private let directory: String
    private var state: State
    private var timesSurvived = 0

    /// Starts the compiler.
    /// - Parameter times: How often all checks run while it survives them.
    init(
        _ mutant: Mutant, _ setting: Setting, times: Int, in directory: String
    ) throws(MachineFailure) {
        self.setting = setting
        self.mutant = mutant
        self.times = times
        self.directory = directory
        let compiler = try setting.compilation.start(mutant.text, into: directory)
        state = .compiling(compiler, Deadline(seconds: 120))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Becomes readable when it may proceed. See pidfd_open(2).
    var pidfd: CInt {
        switch state {
        case .compiling(let compiler, _): compiler.pidfd
        case .checking(let check, _): check.process.pidfd
        }
    }

    /// Takes the next step, if what it waits for has ended; and gives the outcome when that was the
    /// last.
    func proceed() -> MutantOutcome? {
        switch state {
        case .compiling(let compiler, let deadline):
            guard let status = compiler.exitStatus() else {
                return deadline.hasPassed ? outcome(.notJudged("The compiler hangs.")) : nil
            }
            return status == .exited(0) ? start(setting.checks[...]) : outcome(.doesNotCompile)
        case .checking(let check, let left):
            guard let (report, _) = check.report() else { return nil }
            switch report.status {
            case .passed, .notVerified: return start(left)
            case .graderError: return outcome(.notJudged(report.message))
            case .failed, .timedOut, .crashed, .notRun:
                return outcome(
                    .caught(by: String(report.id.dropFirst(setting.exercise.id.count + 1))))
            }
        }
    }

    private func start(_ checks: ArraySlice<Check>) -> MutantOutcome? {
        var checks = checks
        if checks.isEmpty {
            timesSurvived += 1
            checks = setting.checks[...]
            if timesSurvived == times { return outcome(.survived) }
        }
        let check = checks.removeFirst()
        let running = RunningCheck(
            check, of: setting.exercise, suites: setting.suites, subject: directory)
        guard let running else { return outcome(.notJudged("\(check.method) cannot be started.")) }
        state = .checking(running, left: checks)
        return nil
    }

    private func outcome(_ verdict: MutantOutcome.Verdict) -> MutantOutcome {
        MutantOutcome(mutant, verdict, timesSurvived: timesSurvived)
    }
}
