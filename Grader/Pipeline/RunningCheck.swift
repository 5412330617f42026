// SPDX-License-Identifier: MIT

import Foundation
package import Harness
package import Registry
package import Reports

/// The process of one check, while it runs.
package final class RunningCheck {
    let check: Check
    /// The test bundle, as it runs this check and no other.
    package let process: ChildProcess
    private let exercise: Exercise
    private let record: FileHandle
    private let deadline: Deadline
    private let started = Deadline.nanoseconds()

    /// Starts a check; nil when its process cannot be started.
    /// - Parameters:
    ///   - suites: The test bundle.
    ///   - subject: What `WORKBOOK_SUBJECT` is to be.
    package init?(_ check: Check, of exercise: Exercise, suites: String, subject: String) {
        self.check = check
        self.exercise = exercise
        // The check's own deadline comes first; this one is for a check that cannot keep it.
        deadline = Deadline(seconds: exercise.secondsPerCheck + 10)
        let pipe = Pipe()
        record = pipe.fileHandleForReading
        guard
            let process = try? ChildProcess(
                suites, [exercise.specifier(of: check)],
                environment: ["WORKBOOK_SUBJECT": subject, "WORKBOOK_RECORD": "1"],
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
    package func report() -> (CheckReport, isUnwritten: Bool)? {
        let status = process.exitStatus()
        guard status != nil || deadline.hasPassed else { return nil }
        if status == nil { process.kill() }
        killOrphans()
        let duration = Double(Deadline.nanoseconds() - started) / 1e9
        let data = (try? record.readToEnd()) ?? Data()
        let said = try? JSONDecoder().decode(CheckRecord.self, from: data)
        let (outcome, message, unwritten) = judge(status, said)
        let report = CheckReport(
            exercise, check, outcome, message: message, duration: duration,
            cause: outcome == .failed ? said?.cause : nil)
        return (report, unwritten)
    }

    private func judge(
        _ status: ExitStatus?, _ said: CheckRecord?
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
