// SPDX-License-Identifier: MIT

import Registry

/// The checks of one exercise that did not pass for one cause.
package struct Explanation: Equatable {
    /// The one whose story is told: the first of them in the order of the course.
    package let told: CheckReport
    /// The others that the same cause explains.
    package let others: [CheckReport]
    /// How many checks it keeps from passing, with those that were not run because of them.
    let weight: Int
}

extension ExerciseReport {
    /// What did not pass, the cause that explains most checks first. Failures without a known cause each
    /// stand for themselves, and the order of the course decides between equals. Checks that were not
    /// run are in none: they stand behind the check that they rest on.
    package var explanations: [Explanation] {
        let open = checks.filter { $0.status != .passed && $0.status != .notRun }
        var groups: [[CheckReport]] = []
        for check in open {
            let known = groups.firstIndex { check.cause != nil && $0[0].cause == check.cause }
            if let known { groups[known].append(check) } else { groups.append([check]) }
        }
        let all = groups.map { group in
            Explanation(
                told: group[0], others: Array(group.dropFirst()),
                weight: group.count + group.reduce(0) { $0 + dependents(of: $1) })
        }
        // What the machine or the grader could not do is no cause of the learner's.
        return all.enumerated().sorted { first, second in
            (first.element.isLearners ? 0 : 1, -first.element.weight, first.offset)
                < (second.element.isLearners ? 0 : 1, -second.element.weight, second.offset)
        }
        .map(\.element)
    }

    /// How many checks were not run because this one did not pass.
    private func dependents(of check: CheckReport) -> Int {
        guard let exercise = Course.exercise(id) else { return 0 }
        let notRun = Set(checks.filter { $0.status == .notRun }.map(\.id))
        var reached = [check.id]
        var count = 0
        while let next = reached.popLast() {
            let resting = exercise.checks.filter { $0.restsOn.map { "\(id).\($0)" } == next }
                .map(exercise.checkID).filter(notRun.contains)
            count += resting.count
            reached += resting
        }
        return count
    }
}

extension Explanation {
    /// Whether it speaks of the learner's server, and not of the machine or the grader.
    fileprivate var isLearners: Bool { told.status != .notVerified && told.status != .graderError }
}
