// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Pipeline
import Registry
import Verification

/// Submissions that ignore EINTR, a short write, or an aborted connection: in 100 runs each, how often
/// does the check fail that injects that fault? And how often does the solution pass it?
func measureInjection() throws {
    let tree = try CourseTree()
    let judge = try Judge(tree) { _ in }
    let workspace = try Workspace(tree)
    for (id, name, method) in [
        ("blocking-udp", "interruption-is-fatal", "testGoesOnAfterAnInterruption"),
        ("blocking-tcp", "interrupted-accept-is-fatal", "testGoesOnAfterAnInterruption"),
        ("blocking-tcp", "interrupted-read-ends-the-client", "testGoesOnAfterAnInterruption"),
        ("blocking-tcp", "interrupted-write-ends-the-client", "testGoesOnAfterAnInterruption"),
        ("blocking-tcp", "one-write-for-each-read", "testGoesOnAfterAShortWrite"),
        ("blocking-tcp", "aborted-connection-is-fatal", "testGoesOnAfterAnAbortedConnection"),
    ] {
        guard let exercise = Course.exercise(id),
            let check = exercise.checks.first(where: { $0.method == method }),
            let trial = try Submissions(tree).trials(of: [exercise]).first(where: {
                $0.kind == .wrong && $0.name == name
            })
        else { throw MachineFailure("There is no submission \(id)/\(name).") }
        _ = try judge.judge(exercise, trial.parcel, in: workspace)
        let folder = workspace.root + "/.build/debug"
        let failed = try (1...100).filter { _ in try !passes(check, of: exercise, folder, tree) }
        _ = try tree.build(product: "\(id)-solution")
        let passed = try (1...100).filter { _ in try passes(check, of: exercise, "solutions", tree)
        }
        say("  \(id)/\(name): \(failed.count) of 100 fail; solution: \(passed.count) of 100 pass")
    }
    say("")
}

private func passes(
    _ check: Check, of exercise: Exercise, _ subject: String, _ tree: CourseTree
) throws -> Bool {
    let test = try ChildProcess(
        tree.suites, [exercise.specifier(of: check)], environment: ["WORKBOOK_SUBJECT": subject])
    return test.wait(until: Deadline(seconds: 60)) == .exited(0)
}
