// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Registry
import Reports

/// The fourth stage: runs the checks of one exercise against its built server, each in a process of
/// its own, and believes nothing but the record that a check writes when it is done.
struct Examination {
    let exercise: Exercise
    /// The suites, as built from the course's own tree.
    let suites: String
    /// What `WORKBOOK_SUBJECT` is to be: `exercises`, `solutions` or a directory of executables.
    let subject: String
    /// The checks to run, in the order of the registry.
    let checks: [Check]

    /// Runs the checks, as many at a time as there are processors, and each only when the check
    /// that it rests on has passed.
    /// - Parameter progress: Called with each check's report as soon as it is there.
    func run(progress: (CheckReport) -> Void) -> ExerciseReport {
        var reports: [String: CheckReport] = [:]
        var waiting = checks
        var running: [RunningCheck] = []
        var isUnwritten: String?

        func finish(_ report: CheckReport, _ method: String) {
            reports[method] = report
            progress(report)
        }

        while !(waiting.isEmpty && running.isEmpty), isUnwritten == nil {
            while running.count < Self.atOnce, let next = nextCheck(of: waiting, reports) {
                waiting.removeAll { $0.method == next.method }
                if let reason = reasonNotToRun(next, reports) {
                    finish(CheckReport(exercise, next, .notRun, message: reason), next.method)
                } else if let started = start(next) {
                    running.append(started)
                } else {
                    let message = "The check's process could not be started."
                    finish(CheckReport(exercise, next, .graderError, message: message), next.method)
                }
            }
            RunningCheck.waitForOne(of: running)
            for (index, check) in running.enumerated().reversed() {
                guard let (report, unwritten) = check.report() else { continue }
                running.remove(at: index)
                // The first check of the list tells whether there is anything to judge.
                if unwritten, check.check.method == exercise.checks[0].method {
                    isUnwritten = report.message
                }
                finish(report, check.check.method)
            }
        }
        for check in running { check.process.kill() }
        killOrphans()
        if let isUnwritten {
            return ExerciseReport(exercise, unjudged: .notStarted, message: isUnwritten)
        }
        let all = checks.compactMap { reports[$0.method] }
        let good = all.allSatisfy { $0.status == .passed || $0.status == .notVerified }
        return ExerciseReport(exercise, good ? .passed : .failed, checks: all)
    }

    private static let atOnce = max(1, ProcessInfo.processInfo.activeProcessorCount)

    /// The first check that does not wait for the outcome of another one.
    private func nextCheck(of waiting: [Check], _ reports: [String: CheckReport]) -> Check? {
        // Nothing runs beside the very first check: it may show that nothing need be run.
        if reports.isEmpty, waiting.count < checks.count { return nil }
        return waiting.first { $0.restsOn.map { reports[$0] != nil } ?? true }
    }

    private func reasonNotToRun(_ check: Check, _ reports: [String: CheckReport]) -> String? {
        // What this machine cannot observe speaks neither for the submission nor against it.
        guard let method = check.restsOn, let other = reports[method],
            other.status != .passed, other.status != .notVerified
        else { return nil }
        return "The first to mend: “\(other.title)”"
    }

    private func start(_ check: Check) -> RunningCheck? {
        RunningCheck(check, of: exercise, suites: suites, subject: subject)
    }
}
