// SPDX-License-Identifier: MIT

public import Harness

/// A client that sends commands and is told lines.
public final class LineClient {
    /// The connection.
    public let tcp: TCPClient
    private let run: CheckRun
    private let server: ServerProcess
    private var bytes: [UInt8] = []
    private var start = 0
    private var seen: Set<String> = []

    init(_ tcp: TCPClient, _ server: ServerProcess, _ run: CheckRun) {
        self.tcp = tcp
        self.server = server
        self.run = run
    }

    /// Sends a command, or several in one piece.
    public func send(_ commands: String...) throws(CheckFailure) {
        try tcp.send(Array(commands.map { $0 + "\n" }.joined().utf8))
    }

    /// The next line, without its newline.
    /// - Parameter what: What it should be, as a noun: `the line "counter 5"`.
    public func line(_ what: String) throws(CheckFailure) -> String {
        while true {
            if let end = bytes[start...].firstIndex(of: 0x0a) {
                defer { start = end + 1 }
                return String(decoding: bytes[start..<end], as: UTF8.self)
            }
            bytes.removeFirst(start)
            start = 0
            let more = try tcp.receiveSome(atMost: 1 << 16) { "\(what) for \(tcp.name)" }
            guard !more.isEmpty else {
                // A server that has just ended has closed its connections first.
                try server.requireAliveNow()
                throw CheckFailure(
                    expected: "\(what) for \(tcp.name)",
                    found: "the end of the connection")
            }
            bytes += more
        }
    }

    /// Requires that this line comes next.
    /// - Parameter cause: What most likely went wrong if it does not.
    public func expect(_ line: String, cause: String? = nil) throws(CheckFailure) {
        let words = "the line \(escaped(Array(line.utf8), limit: 80))"
        run.transcript.add("\(tcp.name) waits for \(words)")
        let found = try despite(cause) { () throws(CheckFailure) in try self.line(words) }
        guard found == line else {
            throw CheckFailure(
                expected: "\(words) for \(tcp.name)",
                found: "the line \(escaped(Array(found.utf8), limit: 80))", cause: cause)
        }
    }

    /// Gives a failure that does not tell its cause this one.
    private func despite<Result>(
        _ cause: String?, _ body: () throws(CheckFailure) -> Result
    ) throws(CheckFailure) -> Result {
        do {
            return try body()
        } catch  where error.kind == .failed && error.cause == nil {
            throw CheckFailure(expected: error.expected, found: error.found, cause: cause)
        }
    }

    /// Requires that this line comes next, without a word in the story. Before a line of a source
    /// there may be lines about the number of clients.
    public func read(_ line: String, cause: String? = nil) throws(CheckFailure) {
        let words = "the line \(escaped(Array(line.utf8), limit: 30))"
        while true {
            let found = try despite(cause) { () throws(CheckFailure) in try self.line(words) }
            if found == line { return }
            guard found.hasPrefix("clients "), !line.hasPrefix("clients ") else {
                throw CheckFailure(
                    expected: "\(words) for \(tcp.name)",
                    found: "the line \(escaped(Array(found.utf8), limit: 30))")
            }
            seen.insert(found)
        }
    }

    /// Whether a line about the number of clients came while `read` waited for another one.
    public func hasSeen(_ line: String) -> Bool { seen.contains(line) }

    /// Requires that these lines come next, in any order.
    public func expect(inAnyOrder lines: [String]) throws(CheckFailure) {
        run.transcript.add("\(tcp.name) waits for \(counted(lines.count, "line")), in any order")
        var missing = lines
        while !missing.isEmpty {
            let words =
                missing.count == 1
                ? "the line \"\(missing[0])\"" : "the lines \(missing.map { "\"\($0)\"" })"
            let found = try line(words)
            guard let index = missing.firstIndex(of: found) else {
                throw CheckFailure(
                    expected: "\(words) for \(tcp.name)",
                    found: "the line \(escaped(Array(found.utf8), limit: 60))")
            }
            missing.remove(at: index)
        }
    }

    /// Requires the first line that a client gets: that a regular file cannot be watched.
    public func expectGreeting() throws(CheckFailure) {
        try expect("notes.txt cannot be watched: epoll_ctl: Operation not permitted (errno 1)")
    }
}

extension LineClient {
    /// Requires that a line about the timer comes next, and gives its number.
    public func expirations() throws(CheckFailure) -> Int {
        let what = "a line like \"timer 1\""
        run.transcript.add("\(tcp.name) waits for \(what)")
        let line = try line(what)
        guard line.hasPrefix("timer "), let count = Int(line.dropFirst(6)), count > 0 else {
            throw CheckFailure(
                expected: "\(what) for \(tcp.name)",
                found: "the line \(escaped(Array(line.utf8), limit: 60))")
        }
        return count
    }

    /// Requires this line, after any number of lines about the timer, and gives their numbers.
    @discardableResult
    public func timerLines(until line: String) throws(CheckFailure) -> [Int] {
        run.transcript.add("\(tcp.name) waits for the line \"\(line)\"")
        var numbers: [Int] = []
        while true {
            let found = try self.line("the line \"\(line)\"")
            if found == line { return numbers }
            guard found.hasPrefix("timer "), let number = Int(found.dropFirst(6)) else {
                throw CheckFailure(
                    expected: "the line \"\(line)\" for \(tcp.name)",
                    found: "the line \(escaped(Array(found.utf8), limit: 60))")
            }
            numbers.append(number)
        }
    }
}
