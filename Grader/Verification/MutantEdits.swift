// SPDX-License-Identifier: MIT

/// One small edit of a file: these bytes become that text.
struct Mutation {
    let bytes: Range<Int>
    let text: String
    /// What it does, as in `!= for ==`.
    let words: String

    /// Every edit of a learner's part, whose tokens are these, in the order of their places.
    static func all(_ tokens: [Token], in part: Range<Int>, of bytes: [UInt8]) -> [Mutation] {
        var parser = StatementParser(tokens, in: part)
        let statements = parser.statements()
        var maker = MutationMaker(tokens, in: part, of: bytes, blockBraces: parser.blockBraces)
        for statement in statements { maker.edit(statement) }
        for index in part {
            maker.editOperator(index)
            maker.editOperands(index)
            maker.editName(index)
            maker.editNumber(index)
        }
        let places = maker.edits.enumerated().sorted {
            ($0.element.bytes.lowerBound, $0.offset) < ($1.element.bytes.lowerBound, $1.offset)
        }
        return places.map(\.element)
    }
}

/// Makes the edits of one part. Ranges are of indices of tokens.
struct MutationMaker {
    let tokens: [Token]
    let part: Range<Int>
    /// The braces that open a block and not a closure.
    let blockBraces: Set<Int>
    private let file: [UInt8]
    private(set) var edits: [Mutation] = []

    init(_ tokens: [Token], in part: Range<Int>, of file: [UInt8], blockBraces: Set<Int>) {
        self.tokens = tokens
        self.part = part
        self.file = file
        self.blockBraces = blockBraces
    }

    /// Some tokens as they stand there, with the space and the comments between them.
    func source(_ range: Range<Int>) -> String {
        String(decoding: file[bytes(range)], as: UTF8.self)
    }

    /// What stands from one token up to another, with the space before that one.
    func source(from start: Int, to end: Int) -> String {
        let (start, end) = (tokens[start].bytes.lowerBound, tokens[end].bytes.lowerBound)
        return String(decoding: file[start..<end], as: UTF8.self)
    }

    /// Some tokens in one line, cut where it is long.
    func short(_ range: Range<Int>) -> String {
        let text = range.map { index in
            (index > range.lowerBound && tokens[index].isSpaced.before ? " " : "")
                + tokens[index].text
        }.joined()
        return text.count <= 48 ? text : text.prefix(47) + "…"
    }

    mutating func replace(_ range: Range<Int>, by text: String, _ words: String) {
        if range.isEmpty { return }
        edits.append(Mutation(bytes: bytes(range), text: text, words: words))
    }

    /// Takes tokens away, with the space that would stand twice without them.
    mutating func drop(_ range: Range<Int>, _ words: String) {
        if range.isEmpty { return }
        var bytes = bytes(range)
        let (before, after) = (character(bytes.lowerBound - 1), character(bytes.upperBound))
        if before == " ", [" ", "\n", ")"].contains(after) {
            bytes = (bytes.lowerBound - 1)..<bytes.upperBound
        } else if before == "(", after == " " {
            bytes = bytes.lowerBound..<(bytes.upperBound + 1)
        }
        edits.append(Mutation(bytes: bytes, text: "", words: words))
    }

    mutating func drop(_ range: Range<Int>, naming named: Range<Int>) {
        drop(range, "drops \(short(named))")
    }

    /// The text of a token; empty outside of the part.
    func text(_ index: Int) -> String { part.contains(index) ? tokens[index].text : "" }

    private func character(_ place: Int) -> Character { Character(UnicodeScalar(file[place])) }

    private func bytes(_ range: Range<Int>) -> Range<Int> {
        tokens[range.lowerBound].bytes.lowerBound..<tokens[range.upperBound - 1].bytes.upperBound
    }
}

extension MutationMaker {
    private static let operators = [
        "==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="],
        ">=": [">", "<"], "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "*": ["/"],
        "/": ["*"], "+=": ["-="], "-=": ["+="],
    ]

    /// Comparisons and arithmetic.
    fileprivate mutating func editOperator(_ index: Int) {
        guard tokens[index].isBinary else { return }
        for other in Self.operators[text(index)] ?? [] {
            replace(index..<(index + 1), by: other, "\(other) for \(text(index))")
        }
    }

    /// Names that are mistaken for one another, constants of C, `true` and `false`.
    fileprivate mutating func editName(_ index: Int) {
        let token = tokens[index]
        guard token.kind == .word else { return }
        for family in mistakenNames where family.contains(token.text) {
            for other in family where other != token.text {
                replace(index..<(index + 1), by: other, "\(other) for \(token.text)")
            }
        }
        let isError = token.text.first == "E" && !token.text.hasPrefix("EPOLL")
        let isRaw = text(index + 1) == "." && text(index + 2) == "rawValue"
        let isCalled = text(index + 1) == "(" || text(index + 1) == "." && !isRaw
        guard token.isConstant, !isError, !isCalled else { return }
        let whole = index..<(index + (isRaw ? 3 : 1))
        // One of several flags is dropped elsewhere.
        if text(index - 1) == "|" || text(whole.upperBound) == "|" { return }
        replace(whole, by: "0", "0 for \(short(whole))")
    }

    /// One more, one less, 0 and 1.
    fileprivate mutating func editNumber(_ index: Int) {
        let token = tokens[index]
        guard token.kind == .number, text(index - 1) != ".",
            let number = Int(token.text.filter { $0 != "_" })
        else { return }
        let isNegative = text(index - 1) == "-" && tokens[index - 1].isPrefix
        let range = (isNegative ? index - 1 : index)..<(index + 1)
        let value = isNegative ? -number : number
        for other in [value + 1, value - 1, 0, 1] where other != value {
            replace(range, by: grouped(other), "\(grouped(other)) for \(short(range))")
        }
    }

    /// As the formatter wants a long number: `65_537`.
    private func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        let groups = digits.indices.map { index in
            let left = digits.count - index
            return (index > 0 && left % 3 == 0 && digits.count > 4 ? "_" : "")
                + String(digits[index])
        }
        return (number < 0 ? "-" : "") + groups.joined()
    }
}

/// Names of which one is easily written for the other.
private let mistakenNames = [
    ["true", "false"], ["break", "continue"], ["min", "max"], ["prefix", "dropFirst"],
    ["tryNext", "noRoom", "broken"], ["rests", "hasMore", "isOver"],
    ["EINTR", "EAGAIN"], ["ECONNABORTED", "ECONNRESET"], ["EMFILE", "ENFILE"],
    ["SHUT_RD", "SHUT_WR", "SHUT_RDWR"], ["SOCK_STREAM", "SOCK_DGRAM"],
    ["SO_REUSEADDR", "SO_REUSEPORT"], ["MSG_NOSIGNAL", "MSG_DONTWAIT"],
    ["O_RDONLY", "O_WRONLY", "O_RDWR"], ["F_GETFL", "F_GETFD"], ["F_SETFL", "F_SETFD"],
    ["FD_SET", "FD_CLR"], ["POLLIN", "POLLOUT"], ["POLLHUP", "POLLERR"],
    ["EPOLLIN", "EPOLLOUT"], ["EPOLLRDHUP", "EPOLLPRI"], ["EPOLLHUP", "EPOLLERR"],
    ["EPOLLET", "EPOLLONESHOT"], ["EPOLL_CTL_ADD", "EPOLL_CTL_MOD", "EPOLL_CTL_DEL"],
    ["SIG_IGN", "SIG_DFL"], ["SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"], ["SIGTERM", "SIGINT"],
    ["SIGUSR1", "SIGUSR2"], ["SIGRTMIN", "SIGRTMAX"], ["sigaddset", "sigdelset"],
    ["sigemptyset", "sigfillset"], ["CLOCK_MONOTONIC", "CLOCK_REALTIME"],
    ["IN_CREATE", "IN_DELETE"],
]
