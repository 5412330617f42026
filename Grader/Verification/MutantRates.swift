// SPDX-License-Identifier: MIT

package import Registry

/// What the suites of an exercise made of its mutants.
package struct MutantRow {
    package let exercise: Exercise
    package let outcomes: [MutantOutcome]
    /// Why a mutant need not be caught, by its name.
    package let reasons: [String: String]

    /// The outcomes of an exercise, and the reasons of its list.
    package init(exercise: Exercise, outcomes: [MutantOutcome], reasons: [String: String]) {
        self.exercise = exercise
        self.outcomes = outcomes
        self.reasons = reasons
    }

    /// Those that compile.
    var compiled: Int { outcomes.count { $0.verdict != .doesNotCompile } }

    /// Those that the list gives a reason for.
    var listed: Int { outcomes.count { reasons[$0.mutant.name] != nil } }

    /// Those that a check should have caught, and none has.
    package var survivors: [MutantOutcome] {
        outcomes.filter { $0.verdict == .survived && reasons[$0.mutant.name] == nil }
    }

    /// Those that a check has caught although they should do nothing wrong: the check is wrong, or
    /// the list.
    package var wronglyCaught: [MutantOutcome] {
        outcomes.filter { outcome in
            guard case .caught = outcome.verdict else { return false }
            return reasons[outcome.mutant.name] != nil
        }
    }

    /// Those that did not come to a verdict.
    package var notJudged: [MutantOutcome] {
        outcomes.filter { outcome in
            guard case .notJudged = outcome.verdict else { return false }
            return true
        }
    }

    /// Those that were caught now and then only.
    package var sometimes: [MutantOutcome] { outcomes.filter(\.isSometimes) }

    var caught: Int {
        outcomes.count { outcome in
            guard case .caught = outcome.verdict else { return false }
            return reasons[outcome.mutant.name] == nil
        }
    }
}

/// How many mutants the suites catch.
package struct MutantRates {
    /// What the suites should reach, in percent.
    package static let goal = 99.5

    package let rows: [MutantRow]

    /// The rates of these exercises.
    package init(rows: [MutantRow]) { self.rows = rows }

    /// The share of those caught among those that compile and that no list allows, in percent.
    package var percent: Double {
        let caught = rows.reduce(0) { $0 + $1.caught }
        let all = rows.reduce(0) { $0 + $1.compiled - $1.listed }
        return all == 0 ? 100 : Double(caught) * 100 / Double(all)
    }

    /// The share rounded down, so that only all of them are `100.0 %`.
    private var share: String {
        let tenths = Int(percent * 10)
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// In a line: how many there are, and how many of them are caught.
    package var text: String {
        let all = rows.reduce(0) { $0 + $1.compiled - $1.listed }
        let made = rows.reduce(0) { $0 + $1.outcomes.count }
        let caught = rows.reduce(0) { $0 + $1.caught }
        return "\(made) mutants, \(caught) of \(all) caught: \(share)"
    }

    /// Whether enough are caught, and none that is allowed.
    package var areGood: Bool {
        percent >= Self.goal
            && rows.allSatisfy { $0.wronglyCaught.isEmpty && $0.notJudged.isEmpty }
    }

    /// The rates as Markdown, as the README quotes them.
    package var markdown: String {
        let table = rows.map { line($0.exercise.id, [$0]) }
        return """
            | | mutants | compile | allowed | to be caught | caught | |
            |---|---|---|---|---|---|---|
            \(table.joined(separator: "\n"))
            \(line("all", rows))

            """
    }

    private func line(_ name: String, _ rows: [MutantRow]) -> String {
        let sum = { (count: (MutantRow) -> Int) in rows.reduce(0) { $0 + count($1) } }
        let (compiled, listed) = (sum(\.compiled), sum(\.listed))
        return "| \(name) | \(sum(\.outcomes.count)) | \(compiled) | \(listed) "
            + "| \(compiled - listed) | \(sum(\.caught)) | \(MutantRates(rows: rows).share) |"
    }
}
