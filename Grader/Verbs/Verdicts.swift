// SPDX-License-Identifier: MIT

import Foundation
import Pipeline
import Reports

/// What `grader check` found last, by exercise id: kept below `.build`, which nobody commits.
struct Verdicts {
    private(set) var all: [String: ExerciseReport] = [:]
    private let file: URL

    /// Reads what was kept. A file that cannot be read is as good as none.
    init(_ tree: CourseTree) {
        file = URL(fileURLWithPath: tree.root + "/.build/verdicts.json")
        guard let data = try? Data(contentsOf: file) else { return }
        all = (try? JSONDecoder().decode([String: ExerciseReport].self, from: data)) ?? [:]
    }

    /// Keeps a verdict with the others.
    func remember(_ report: ExerciseReport) throws {
        var all = all
        all[report.id] = report
        try JSONEncoder().encode(all).write(to: file, options: .atomic)
    }
}
