// SPDX-License-Identifier: MIT

extension MutationMaker {
    /// The edits of a statement and of all in its blocks: it is deleted, its conditions are
    /// changed, its branches lost or exchanged.
    mutating func edit(_ statement: Statement) {
        if isDeletable(statement) { delete(statement.tokens) }
        switch statement.head {
        case "if", "guard", "repeat": editConditions(statement.header)
        case "while":
            editConditions(statement.header)
            let word = statement.tokens.lowerBound
            if short(statement.header) != "true" {
                replace(word..<(word + 1), by: "if", "if for while")
            }
        case "for": editWhere(statement.header)
        default: break
        }
        for (before, block) in zip([nil] + statement.blocks, statement.blocks) {
            if case .label(let label) = block.role { exchange(before, label) }
            if case .otherwise = block.role {
                // With the word `else` before it.
                drop((block.tokens.lowerBound - 1)..<block.tokens.upperBound, naming: block.tokens)
            }
            editStatements(of: block)
        }
    }

    private mutating func editStatements(of block: Block) {
        for (index, statement) in block.statements.enumerated() {
            switch block.role {
            // Without its last statement this does not leave, and does not compile.
            case .guardElse where index == block.statements.count - 1: editInside(statement)
            // A case must have a statement.
            case .label where block.statements.count == 1:
                if statement.head != "break" {
                    replace(
                        statement.tokens, by: "break", "deletes \(short(statement.tokens))")
                }
                editInside(statement)
            default: edit(statement)
            }
        }
    }

    /// All edits of a statement but its deletion.
    private mutating func editInside(_ statement: Statement) {
        if !statement.isPlain { edit(statement) }
    }

    /// Without a declaration nothing compiles that uses what it declares.
    private func isDeletable(_ statement: Statement) -> Bool {
        if ["let", "var", "func"].contains(statement.head) { return false }
        return statement.head != "guard" || !isBinding(text(statement.header.lowerBound))
    }

    private mutating func delete(_ range: Range<Int>) {
        drop(range, "deletes \(short(range))")
    }

    private func isBinding(_ word: String) -> Bool { ["let", "var", "case"].contains(word) }

    /// Each condition of a list is negated, and dropped where others are left.
    private mutating func editConditions(_ header: Range<Int>) {
        let clauses = elements(of: header)
        for (index, clause) in clauses.enumerated() where !isBinding(text(clause.lowerBound)) {
            negate(clause)
            if clauses.count == 1 { continue }
            // With the comma behind it, or, of the last one, the comma before it.
            let isLast = index == clauses.count - 1
            let start = isLast ? clauses[index - 1].upperBound : clause.lowerBound
            let end = isLast ? clause.upperBound : clauses[index + 1].lowerBound
            drop(start..<end, naming: clause)
        }
    }

    private mutating func editWhere(_ header: Range<Int>) {
        guard let word = header.first(where: { text($0) == "where" }) else { return }
        negate((word + 1)..<header.upperBound)
        drop(word..<header.upperBound, naming: word..<header.upperBound)
    }

    /// Two neighbouring labels of a switch change places: `case A: x case B: y` becomes
    /// `case B: x case A: y`.
    private mutating func exchange(_ before: Block?, _ label: Range<Int>) {
        guard let before, case .label(let other) = before.role, text(label.lowerBound) == "case",
            text(other.lowerBound) == "case"
        else { return }
        let between = source(from: other.upperBound - 1, to: label.lowerBound)
        let names = [other, label].map { ($0.lowerBound + 1)..<($0.upperBound - 1) }
        guard names.allSatisfy({ !isBinding(text($0.lowerBound)) }) else { return }
        replace(
            other.lowerBound..<(label.upperBound - 1),
            by: "case \(source(names[1]))\(between)case \(source(names[0]))",
            "exchanges case \(short(names[0])) and case \(short(names[1]))")
    }
}
