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
                guard let (report, unwritten) = check.report(exercise) else { continue }
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
        RunningCheck(
            check, suites: suites, specifier: exercise.specifier(of: check),
            environment: ["WORKBOOK_SUBJECT": subject, "WORKBOOK_RECORD": "1"],
            seconds: exercise.secondsPerCheck + 10)
    }
}

/// The process of one check, while it runs.
private final class RunningCheck {
    let check: Check
    let process: ChildProcess
    private let record: FileHandle
    private let deadline: Deadline
    private let started = Deadline.nanoseconds()

    init?(
        _ check: Check, suites: String, specifier: String, environment: [String: String],
        seconds: Double
    ) {
        self.check = check
        // The check's own deadline comes first; this one is for a check that cannot keep it.
        deadline = Deadline(seconds: seconds)
        let pipe = Pipe()
        record = pipe.fileHandleForReading
        guard
            let process = try? ChildProcess(
                suites, [specifier], environment: environment,
                kept: pipe.fileHandleForWriting.fileDescriptor)
        else { return nil }
        self.process = process
        try? pipe.fileHandleForWriting.close()
    }

    static func waitForOne(of running: [RunningCheck]) {
        guard !running.isEmpty else { return }
        var entries = running.map {
            pollfd(fd: $0.process.pidfd, events: Int16(POLLIN), revents: 0)
        }
        let soonest = running.map { $0.deadline.milliseconds(atMost: 1000) }.min() ?? 0
        poll(&entries, nfds_t(entries.count), soonest)
    }

    /// The report of this check, or nil while it runs; and whether it found nothing but a stub.
    func report(_ exercise: Exercise) -> (CheckReport, isUnwritten: Bool)? {
        let status = process.exitStatus()
        guard status != nil || deadline.hasPassed else { return nil }
        if status == nil { process.kill() }
        killOrphans()
        let duration = Double(Deadline.nanoseconds() - started) / 1e9
        let data = (try? record.readToEnd()) ?? Data()
        let said = try? JSONDecoder().decode(CheckRecord.self, from: data)
        let (outcome, message, unwritten) = judge(exercise, status, said)
        let report = CheckReport(
            exercise, check, outcome, message: message, duration: duration,
            cause: outcome == .failed ? said?.cause : nil)
        return (report, unwritten)
    }

    private func judge(
        _ exercise: Exercise, _ status: ExitStatus?, _ said: CheckRecord?
    ) -> (CheckReport.Status, String, Bool) {
        guard let status else {
            return (.timedOut, "The check did not end in time, and was stopped.", false)
        }
        guard let said, said.check == exercise.checkID(check) else {
            if status == .exited(0) {
                return (.graderError, "The suites have no test \(check.method).", false)
            }
            return (.crashed, "The check's process \(status), and left no record.", false)
        }
        switch said.outcome {
        case .passed where status == .exited(0): return (.passed, "", false)
        case .passed: return (.crashed, "The check's process \(status) after its record.", false)
        case .failed: return (.failed, said.message, false)
        case .unwritten: return (.failed, said.message, true)
        case .notVerified: return (.notVerified, said.message, false)
        case .machine: return (.graderError, said.message, false)
        }
    }
}
