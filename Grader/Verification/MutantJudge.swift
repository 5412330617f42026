// SPDX-License-Identifier: MIT

import Foundation
import Harness
package import Pipeline
package import Registry
import Reports
import Synchronization

/// Judges the mutants of one exercise, as many side by side as there are processors.
package struct MutantJudge {
    private let setting: MutantTrial.Setting
    private let directory: String

    /// Judges the solution, which must have full marks: otherwise every mutant would be caught.
    /// What its checks took tells which are quick.
    /// - Throws: `MachineFailure` when the solution fails.
    package init(
        _ exercise: Exercise, _ tree: CourseTree, _ judge: Judge, _ workspace: Workspace
    ) throws {
        let folder = "\(tree.root)/Solutions/\(exercise.path)"
        let report = try judge.judge(
            exercise, Intake.take(exercise, from: folder), in: workspace)
        guard report.status == .passed else {
            let failed = report.checks.filter { $0.status != .passed }.map(\.id)
            throw MachineFailure(
                "The solution of \(exercise.id) fails: \(failed.joined(separator: ", "))",
                help: "`grader verify \(exercise.id)` says more.")
        }
        let durations = report.checks.map(\.duration)
        let quickFirst = zip(exercise.checks, durations).sorted { $0.1 < $1.1 }.map(\.0)
        setting = MutantTrial.Setting(
            exercise: exercise, compilation: try Recompilation(exercise, in: workspace),
            suites: tree.suites, checks: quickFirst)
        directory = tree.root + "/.build/mutants"
    }

    /// Judges mutants, each until the first check that does not pass.
    /// - Parameters:
    ///   - times: How often all checks run while a mutant survives them.
    ///   - progress: Called with each outcome as soon as it is there.
    /// - Returns: The outcomes in the order of the mutants; those so far, when `interruption` came.
    /// - Throws: `MachineFailure` when nothing can be compiled.
    package func judge(
        _ mutants: [Mutant], _ interruption: Interruption, times: (Mutant) -> Int,
        progress: (MutantOutcome) -> Void
    ) throws(MachineFailure) -> [MutantOutcome] {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var outcomes: [Int: MutantOutcome] = [:]
        var running: [(index: Int, trial: MutantTrial)] = []
        var next = 0
        while next < mutants.count || !running.isEmpty, interruption.signal == nil {
            while running.count < Self.atOnce, next < mutants.count {
                let mutant = mutants[next]
                let trial = try MutantTrial(
                    mutant, setting, times: times(mutant), in: "\(directory)/\(next)")
                running.append((next, trial))
                next += 1
            }
            wait(for: running.map(\.trial.pidfd))
            running.removeAll { index, trial in
                guard let outcome = trial.proceed() else { return false }
                outcomes[index] = outcome
                progress(outcome)
                return true
            }
        }
        return mutants.indices.compactMap { outcomes[$0] }
    }

    private static let atOnce = max(1, ProcessInfo.processInfo.activeProcessorCount)

    /// Waits until one of these processes has ended, or for a second: their deadlines are looked at
    /// then.
    private func wait(for pidfds: [CInt]) {
        var entries = pidfds.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&entries, nfds_t(entries.count), 1000)
    }
}

/// Notices ^C and SIGTERM from now on, so that what is under way can be ended in order.
package struct Interruption {
    private static let number = Atomic<CInt>(0)

    /// Begins to notice them.
    package init() {
        _ = Self.number.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            Foundation.signal(number) { Interruption.number.store($0, ordering: .relaxed) }
        }
    }

    /// The signal that has come, if one has.
    package var signal: CInt? {
        let number = Self.number.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Notices them no more: the next one ends this process, and so does the one that has come.
    package func end() {
        for number in [SIGINT, SIGTERM] { Foundation.signal(number, SIG_DFL) }
        if let signal { raise(signal) }
    }
}
