// SPDX-License-Identifier: MIT

/// A statement of a learner's part, with those in its blocks. All numbers are indices of tokens.
struct Statement {
    /// The word that begins it.
    let head: String
    /// All of it.
    var tokens: Range<Int>
    /// The conditions of `if`, `guard` and the loops, without the word itself; of a plain statement
    /// all.
    var header: Range<Int>
    var blocks: [Block] = []

    /// Whether it is a plain one: no `if`, no loop, nothing with a block.
    var isPlain: Bool { blocks.isEmpty }
}

/// What stands between braces, or under a `case`.
struct Block {
    enum Role {
        case body
        /// The block of a guard, which must leave.
        case guardElse
        case otherwise
        /// Under the label, up to its colon.
        case label(Range<Int>)
    }

    let role: Role
    /// With its braces; of a `case` without the label.
    let tokens: Range<Int>
    let statements: [Statement]
}

/// Takes the statements of a part out of its tokens. It knows as much of Swift as the solutions
/// use.
struct StatementParser {
    private let tokens: [Token]
    private let end: Int
    private var next: Int
    /// The braces that open a block and not a closure.
    private(set) var blockBraces: Set<Int> = []

    init(_ tokens: [Token], in range: Range<Int>) {
        self.tokens = tokens
        next = range.lowerBound
        end = range.upperBound
    }

    /// All statements up to the brace that closes the block, or to the next `case`.
    mutating func statements() -> [Statement] {
        var all: [Statement] = []
        while next < end, !["}", "case", "default"].contains(text) { all.append(statement()) }
        return all
    }

    private var text: String { next < end ? tokens[next].text : "" }

    private mutating func statement() -> Statement {
        let start = next
        var statement = Statement(head: text, tokens: start..<start, header: start..<start)
        switch statement.head {
        case "if": parseIf(&statement)
        case "guard":
            statement.header = header(until: "else")
            next += 1
            statement.blocks = [block(.guardElse)]
        case "while", "for":
            statement.header = header(until: "{")
            statement.blocks = [block(.body)]
        case "switch":
            statement.header = header(until: "{")
            statement.blocks = labelledBlocks()
        case "do", "defer":
            _ = header(until: "{")
            statement.blocks = [block(.body)]
            while text == "catch" {
                _ = header(until: "{")
                statement.blocks.append(block(.body))
            }
        case "repeat":
            next += 1
            statement.blocks = [block(.body)]
            next += 1
            statement.header = expression()
        default: statement.header = expression()
        }
        statement.tokens = start..<next
        return statement
    }

    private mutating func parseIf(_ statement: inout Statement) {
        statement.header = header(until: "{")
        statement.blocks = [block(.body)]
        guard text == "else" else { return }
        next += 1
        if text == "if" {
            let start = next
            let other = self.statement()
            statement.blocks.append(
                Block(role: .otherwise, tokens: start..<next, statements: [other]))
        } else {
            statement.blocks.append(block(.otherwise))
        }
    }

    /// Goes from the word of a statement to the word or brace that ends its header.
    private mutating func header(until last: String) -> Range<Int> {
        next += 1
        let start = next
        while next < end, text != last { skip() }
        return start..<next
    }

    private mutating func block(_ role: Block.Role) -> Block {
        let start = next
        blockBraces.insert(start)
        next += 1
        let statements = statements()
        next += 1
        return Block(role: role, tokens: start..<min(next, end), statements: statements)
    }

    private mutating func labelledBlocks() -> [Block] {
        var blocks: [Block] = []
        blockBraces.insert(next)
        next += 1
        while next < end, text != "}" {
            let label = next
            while next < end, text != ":" { skip() }
            next += 1
            let start = next
            let inside = statements()
            blocks.append(
                Block(role: .label(label..<start), tokens: start..<next, statements: inside))
        }
        next += 1
        return blocks
    }

    /// A plain statement, or what else goes to the end of its line.
    private mutating func expression() -> Range<Int> {
        let start = next
        repeat { skip() } while next < end && !endsStatement(before: next)
        return start..<next
    }

    /// Goes past one token, or past a bracket with all that is in it.
    private mutating func skip() {
        var depth = 0
        repeat {
            if ["(", "[", "{"].contains(text) { depth += 1 }
            if [")", "]", "}"].contains(text) { depth -= 1 }
            next += 1
        } while depth > 0 && next < end
    }

    private func endsStatement(before index: Int) -> Bool {
        tokens[index].text == "}" || isNewStatement(tokens, at: index)
    }
}

/// Whether a token begins a line and does not go on with what the line before has begun.
func isNewStatement(_ tokens: [Token], at index: Int) -> Bool {
    let token = tokens[index]
    guard token.isFirstOfLine, index > 0 else { return false }
    let goesOn = token.isBinary || token.text == "." || token.text == "else"
    let before = tokens[index - 1]
    return !goesOn && !before.isBinary && before.text != ","
}
