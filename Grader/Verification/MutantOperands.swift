// SPDX-License-Identifier: MIT

extension MutationMaker {
    private static let logical: Set<String> = ["&&", "||"]
    private static let comparisons: Set<String> = ["==", "!=", "<", "<=", ">", ">="]
    private static let assignments: Set<String> = ["=", "+=", "-=", "?", ":", "->"]
    private static let keywords: Set<String> = [
        "return", "if", "guard", "while", "where", "in", "case", "else", "try", "let", "var",
    ]

    /// An operand of `&&`, `||` or `|` is dropped, one of `&&`, `||` or `?` negated, an element of
    /// a list dropped, and a call of a chain.
    mutating func editOperands(_ index: Int) {
        let token = tokens[index]
        switch token.text {
        case "!" where token.isPrefix:
            let operand = (index + 1)..<operandEnd(after: index, [])
            replace(index..<(index + 1), by: "", "drops ! of \(short(operand))")
        case "&&", "||", "|":
            guard token.isBinary else { return }
            let weaker = token.text == "|" ? ["|", "&"] : Self.logical
            let left = operandStart(before: index, weaker)..<index
            let right = (index + 1)..<operandEnd(after: index, weaker)
            drop(left.lowerBound..<right.lowerBound, naming: left)
            drop(index..<right.upperBound, naming: right)
            if token.text != "|" { [left, right].forEach { negate($0) } }
        case "?":
            if token.isBinary { negate(operandStart(before: index, [])..<index) }
        case "[" where isLiteral(index): dropElements(of: index)
        case "prefix", "dropFirst", "reversed": dropCall(index)
        default: break
        }
    }

    /// Turns a condition over, unless another edit does: that of its one comparison, of its `!`, of
    /// its `true`.
    mutating func negate(_ clause: Range<Int>) {
        let outermost = outermost(clause)
        let inside = outermost.map(text)
        let joints = inside.filter { Self.logical.contains($0) }.count
        let isCompared = inside.contains { Self.comparisons.contains($0) }
        if joints == 0, isCompared || ["!", "true", "false"].contains(text(clause.lowerBound)) {
            return
        }
        let source = source(clause)
        let isSimple = !inside.contains("try") && !outermost.contains { tokens[$0].isBinary }
        replace(clause, by: isSimple ? "!\(source)" : "!(\(source))", "negates \(short(clause))")
    }

    /// The elements of a list: the tokens between the outermost commas.
    func elements(of range: Range<Int>) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        var start = range.lowerBound
        for comma in outermost(range) where text(comma) == "," {
            elements.append(start..<comma)
            start = comma + 1
        }
        if start < range.upperBound { elements.append(start..<range.upperBound) }
        return elements
    }

    /// The tokens that are in no bracket of this range.
    private func outermost(_ range: Range<Int>) -> [Int] {
        var depth = 0
        return range.filter { index in
            if [")", "]", "}"].contains(text(index)) { depth -= 1 }
            defer { if ["(", "[", "{"].contains(text(index)) { depth += 1 } }
            return depth == 0
        }
    }

    /// A bracket after a name or another bracket holds an index, not a list.
    private func isLiteral(_ index: Int) -> Bool {
        let before = text(index - 1)
        return ["(", "=", ",", "in", "return", "+", "["].contains(before)
    }

    private mutating func dropElements(of bracket: Int) {
        let end = past(bracket)
        let elements = elements(of: (bracket + 1)..<(end - 1))
        guard elements.count > 1, text(end) != "(" else { return }
        for (index, element) in elements.enumerated() {
            let isLast = index == elements.count - 1
            let start = isLast ? elements[index - 1].upperBound : element.lowerBound
            drop(start..<(isLast ? element.upperBound : element.upperBound + 1), naming: element)
        }
    }

    private mutating func dropCall(_ index: Int) {
        guard text(index - 1) == ".", text(index + 1) == "(" else { return }
        let call = (index - 1)..<past(index + 1)
        drop(call, naming: call)
    }

    /// The index behind the bracket that closes this one.
    private func past(_ bracket: Int) -> Int {
        var depth = 0
        for index in bracket..<part.upperBound {
            if ["(", "[", "{"].contains(text(index)) { depth += 1 }
            if [")", "]", "}"].contains(text(index)) { depth -= 1 }
            if depth == 0 { return index + 1 }
        }
        return part.upperBound
    }

    /// Whether an expression ends here: at a comma, an assignment, a keyword, or one of these
    /// operators.
    private func isEdge(_ index: Int, _ operators: Set<String>) -> Bool {
        let token = tokens[index]
        if [",", ";"].contains(token.text) || blockBraces.contains(index) { return true }
        if token.kind == .word { return Self.keywords.contains(token.text) }
        guard token.isBinary else { return token.text == ":" }
        return operators.contains(token.text) || Self.assignments.contains(token.text)
            || Self.logical.contains(token.text)
            || operators.contains("|") && Self.comparisons.contains(token.text)
    }

    private func operandStart(before index: Int, _ operators: Set<String>) -> Int {
        var start = index
        var depth = 0
        while start > part.lowerBound {
            let before = start - 1
            if ["(", "[", "{"].contains(text(before)) { depth -= 1 }
            if depth < 0 || depth == 0 && isEdge(before, operators) { break }
            if [")", "]", "}"].contains(text(before)) { depth += 1 }
            if depth == 0, start < index, isNewStatement(tokens, at: start) { break }
            start = before
        }
        return start
    }

    private func operandEnd(after index: Int, _ operators: Set<String>) -> Int {
        var end = index + 1
        while part.contains(end) {
            let isClosing = [")", "]", "}"].contains(text(end))
            if isClosing || isEdge(end, operators) { break }
            if end > index + 1, isNewStatement(tokens, at: end) { break }
            end = ["(", "[", "{"].contains(text(end)) ? past(end) : end + 1
        }
        return end
    }
}
