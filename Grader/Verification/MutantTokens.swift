// SPDX-License-Identifier: MIT

/// A word of Swift as far as mutants need it: comments are left out, and a string is one token.
struct Token: Equatable {
    enum Kind {
        /// A name, a keyword or `$0`.
        case word
        case number
        case string
        /// An operator, or one character of punctuation.
        case symbol
    }

    let kind: Kind
    let text: String
    /// Where it stands in the bytes of the file.
    let bytes: Range<Int>
    /// Whether it is the first of its line.
    let isFirstOfLine: Bool
    /// Whether space, or the edge of the file, is before and after it: so a binary operator stands.
    let isSpaced: (before: Bool, after: Bool)

    static func == (one: Token, other: Token) -> Bool { one.bytes == other.bytes }

    /// An operator between two operands, as the formatter writes it.
    var isBinary: Bool {
        kind == .symbol && isSpaced == (true, true)
            && text.allSatisfy { Self.operators.contains($0) }
    }

    /// An operator directly before its operand: `-1`, `!isFull`.
    var isPrefix: Bool { kind == .symbol && !isSpaced.after && ["-", "!", "&"].contains(text) }

    /// A constant of C: `MSG_NOSIGNAL`.
    var isConstant: Bool {
        kind == .word && text.count > 2 && text.first?.isUppercase == true
            && text.allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" }
    }

    private static let operators = Set<Character>("-+*/<>=!&|^%~?:")
}

/// The tokens of a Swift file that the formatter has written.
func tokens(of text: String) -> [Token] {
    var scanner = Scanner(bytes: Array(text.utf8))
    var tokens: [Token] = []
    while let token = scanner.next() { tokens.append(token) }
    return tokens
}

private struct Scanner {
    let bytes: [UInt8]
    private var place = 0
    private var isFirstOfLine = true

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Token? {
        skipSpaceAndComments()
        guard place < bytes.count else { return nil }
        let start = place
        let kind = skipToken()
        defer { isFirstOfLine = false }
        return Token(
            kind: kind, text: String(decoding: bytes[start..<place], as: UTF8.self),
            bytes: start..<place, isFirstOfLine: isFirstOfLine,
            isSpaced: (isSpace(start - 1), isSpace(place)))
    }

    private func isSpace(_ place: Int) -> Bool {
        !bytes.indices.contains(place) || [0x20, 0x0a].contains(bytes[place])
    }

    private func character(_ ahead: Int = 0) -> Character {
        place + ahead < bytes.count ? Character(UnicodeScalar(bytes[place + ahead])) : "\n"
    }

    private mutating func skipSpaceAndComments() {
        while place < bytes.count {
            if character() == "/", character(1) == "/" {
                while place < bytes.count, character() != "\n" { place += 1 }
            } else if isSpace(place) {
                if character() == "\n" { isFirstOfLine = true }
                place += 1
            } else {
                return
            }
        }
    }

    private mutating func skipToken() -> Token.Kind {
        let first = character()
        if first == "\"" {
            skipString()
            return .string
        }
        // Bytes beyond ASCII stand in comments and strings, or in a name.
        let isName = { (c: Character) in c.isLetter || c.isNumber || c == "_" || c == "$" }
        if isName(first) {
            while place < bytes.count, isName(character()) { place += 1 }
            return first.isNumber ? .number : .word
        }
        let operators = Set<Character>("-+*/<>=!&|^%~")
        if first == ".", character(1) == "." {
            place += 3  // `..<` and `...`
        } else if operators.contains(first) {
            while operators.contains(character()) { place += 1 }
        } else {
            place += 1
        }
        return .symbol
    }

    /// Goes past a string, with what is interpolated into it.
    private mutating func skipString() {
        place += 1
        while place < bytes.count, character() != "\"" {
            if character() == "\\", character(1) == "(" {
                skipInterpolation()
            } else {
                place += character() == "\\" ? 2 : 1
            }
        }
        place += 1
    }

    private mutating func skipInterpolation() {
        place += 2
        var depth = 1
        while place < bytes.count, depth > 0 {
            switch character() {
            case "\"":
                skipString()
                continue
            case "(": depth += 1
            case ")": depth -= 1
            default: break
            }
            place += 1
        }
    }
}
