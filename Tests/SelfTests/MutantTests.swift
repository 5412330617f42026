import Foundation
import Harness
import Pipeline
import Registry
import Verification
import XCTest

/// Mutants are made by program: each is one small edit, has a name of its own, and is made again
/// the same.
final class MutantTests: XCTestCase {
    private let server = """
        /// Outside of the parts nothing is changed: 1 == 2.
        func serve(_ listener: CInt) -> Bool {
            //> your part: serve
            // Nor in a comment: close(3).
            while !isFull {
                guard accept(listener) != -1 else { return errno == EINTR }
                let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
                if isFull && flags > 0 { continue } else { note("full: \\(1 == 2)") }
                switch reason {
                case .tryNext: close(client)
                case .noRoom: signal(SIGPIPE, SIG_IGN)
                }
                for socket in ready.prefix(65_535) where proceed(socket) { isFull = false }
            }
            //< your part: serve
        }
        close(1)
        """

    func testMutantsOfASampleAreThese() {
        let names = Mutant.all(of: server).map(\.name)
        let line = { (number: Int) in
            names.filter { $0.hasPrefix("serve:\(number) ") }.map {
                $0.split(separator: " ", maxSplits: 1)[1]
            }
        }
        XCTAssertEqual(
            line(5),
            [
                "deletes while !isFull { guard accept(listener) != -1 el…", "if for while",
                "drops ! of isFull",
            ])
        XCTAssertEqual(
            line(6),
            [
                "deletes guard accept(listener) != -1 else { return errn…", "== for !=", "0 for -1",
                "-2 for -1", "1 for -1", "!= for ==", "EAGAIN for EINTR",
            ])
        XCTAssertEqual(line(7), ["drops SOCK_CLOEXEC.rawValue", "drops SOCK_NONBLOCK.rawValue"])
        XCTAssertEqual(
            line(8),
            [
                "deletes if isFull && flags > 0 { continue } else { note…", "drops isFull",
                "negates isFull && flags > 0", "negates isFull", "drops flags > 0", "|| for &&",
                ">= for >", "<= for >", "1 for 0", "-1 for 0", "deletes continue",
                "break for continue", #"drops { note("full: \(1 == 2)") }"#,
                #"deletes note("full: \(1 == 2)")"#,
            ])
        XCTAssertEqual(
            line(9) + line(10) + line(11),
            [
                "deletes switch reason { case .tryNext: close(client) ca…",
                "exchanges case .tryNext and case .noRoom", "noRoom for tryNext",
                "broken for tryNext", "deletes close(client)", "tryNext for noRoom",
                "broken for noRoom", "deletes signal(SIGPIPE, SIG_IGN)", "0 for SIGPIPE",
                "SIG_DFL for SIG_IGN", "0 for SIG_IGN",
            ])
        XCTAssertEqual(
            line(13),
            [
                "deletes for socket in ready.prefix(65_535) where procee…", "drops .prefix(65_535)",
                "dropFirst for prefix", "65_536 for 65_535", "65_534 for 65_535", "0 for 65_535",
                "1 for 65_535", "drops where proceed(socket)", "negates proceed(socket)",
                "deletes isFull = false", "true for false",
            ])
        XCTAssertEqual(names.count, 48)
        XCTAssertEqual(names, Mutant.all(of: server).map(\.name))
    }

    func testAMutantShowsTheLinesThatItChanges() throws {
        let all = Mutant.all(of: server)
        let exchanged = try XCTUnwrap(all.first { $0.words.hasPrefix("exchanges") })
        XCTAssertEqual(
            exchanged.old,
            ["case .tryNext: close(client)", "case .noRoom: signal(SIGPIPE, SIG_IGN)"])
        XCTAssertEqual(
            exchanged.new,
            ["case .noRoom: close(client)", "case .tryNext: signal(SIGPIPE, SIG_IGN)"])
        XCTAssertEqual(exchanged.before, "switch reason {")
        let deleted = try XCTUnwrap(all.first)
        XCTAssertEqual(deleted.old, ["while !isFull {", "…"])
        XCTAssertEqual(deleted.new, [])
        let negated = try XCTUnwrap(all.first { $0.words == "negates isFull && flags > 0" })
        XCTAssertEqual(
            negated.text,
            server.replacing("if isFull && flags > 0 {", with: "if !(isFull && flags > 0) {"))
    }

    func testEachMutantOfTheCourseIsOneEditInALearnersPart() throws {
        for exercise in Course.exercises {
            let server = try Tree.text("Solutions/\(exercise.path)/Server.swift")
            let mutants = Mutant.all(of: server)
            XCTAssertEqual(Set(mutants.map(\.text) + [server]).count, mutants.count + 1)
            XCTAssertEqual(Set(mutants.map(\.name)).count, mutants.count, exercise.id)
            let lines = server.components(separatedBy: "\n")
            for mutant in mutants {
                let changed = mutant.text.components(separatedBy: "\n")
                XCTAssertEqual(changed[..<(mutant.line - 1)], lines[..<(mutant.line - 1)])
                let before = lines[..<mutant.line].last { $0.contains("your part: ") }
                XCTAssertEqual(
                    before?.hasSuffix("//> your part: \(mutant.part)"), true, mutant.name)
            }
        }
    }

    /// What is allowed is written down by its lines: when they change, the reason must be thought
    /// of anew.
    func testEachListedMutantIsMade() throws {
        let tree = try CourseTree()
        for exercise in Course.exercises {
            let server = try Tree.text("Solutions/\(exercise.path)/Server.swift")
            let list = try MutantList(exercise, tree)
            XCTAssertNoThrow(try list.reasons(for: Mutant.all(of: server)))
        }
        let ids = Set(Course.exercises.map { "\($0.id).txt" })
        XCTAssertEqual(Set(directory(Tree.path("Tests/Submissions/Mutants"))).subtracting(ids), [])
    }

    func testAListedMutantThatIsNotMadeIsNamed() throws {
        let twice = server.replacing("close(client)\n", with: "close(client); isFull = false\n")
        for (lines, words) in [
            ("- close(2)", "stands for no mutant:\n@@ serve\n- close(2)"),
            ("- while !isFull {", "stands for no mutant"),
            ("- while !isFull {\n+ if !isFull {", nil),
            ("  guard\n- while !isFull {\n+ if !isFull {", "stands for no mutant"),
        ] {
            let list = try MutantList("# Why.\n@@ serve\n\(lines)\n", name: "x.txt")
            do {
                let reasons = try list.reasons(for: Mutant.all(of: twice))
                XCTAssertNil(words)
                XCTAssertEqual(reasons, ["serve:5 if for while": "Why."])
            } catch {
                XCTAssert("\(error)".contains(words ?? "?"), "\(error)")
            }
        }
    }

    func testALineBeforeTellsTwoMutantsApart() throws {
        let server = """
            //> your part: echo
            read()
            close()
            write()
            close()
            //< your part: echo
            """
        let mutants = Mutant.all(of: server)
        let list = try MutantList("# Why.\n@@ echo\n- close()\n", name: "x.txt")
        XCTAssertThrowsError(try list.reasons(for: mutants)) { error in
            let names = "stands for echo:3 deletes close(), echo:5 deletes close():"
            XCTAssert("\(error)".contains(names), "\(error)")
        }
        let other = try MutantList("# Why\n# so.\n@@ echo\n  write()\n- close()\n", name: "x.txt")
        XCTAssertEqual(try other.reasons(for: mutants), ["echo:5 deletes close()": "Why so."])
    }

    func testWhatIsNoListIsRefused() {
        for text in ["@@ serve\n- x", "- x", "# Why.\n- x", "# Why.\n@@ serve\n* x"] {
            XCTAssertThrowsError(try MutantList(text, name: "x.txt"), text)
        }
    }

    func testASampleIsSpreadEvenly() {
        XCTAssertEqual(Mutant.sample(3, of: 9), [2, 5, 8])
        XCTAssertEqual(Mutant.sample(9, of: 9), Array(0..<9))
        XCTAssertEqual(Mutant.sample(20, of: 9), Array(0..<9))
        XCTAssertEqual(Mutant.sample(4, of: 1000).count, 4)
    }
}

/// What counts as caught, and when enough are.
final class MutantRatesTests: XCTestCase {
    private let exercise = Course.exercises[0]
    private let mutants = Mutant.all(
        of: "//> your part: echo\na()\nb()\nc()\nd()\n//< your part: echo")

    func testAllowedMutantsDoNotCount() {
        let rates = MutantRates(rows: [
            row([.caught(by: "x"), .survived, .doesNotCompile, .survived], allowed: [1])
        ])
        XCTAssertEqual(rates.percent, 50)
        XCTAssertFalse(rates.areGood)
        XCTAssertEqual(rates.rows[0].survivors.map(\.mutant.name), ["echo:5 deletes d()"])
        XCTAssert(
            rates.markdown.hasSuffix("| all | 4 | 3 | 1 | 2 | 1 | 50.0 % |\n"), rates.markdown)
    }

    func testAnAllowedMutantMustNotBeCaught() {
        let good = row([.caught(by: "x"), .survived], allowed: [1])
        XCTAssert(MutantRates(rows: [good]).areGood)
        let strict = row([.caught(by: "x"), .caught(by: "x")], allowed: [1])
        XCTAssertEqual(strict.wronglyCaught.map(\.mutant.name), ["echo:3 deletes b()"])
        XCTAssertFalse(MutantRates(rows: [strict]).areGood)
    }

    func testWhatIsNotJudgedIsNotCaught() {
        let row = row([.caught(by: "x"), .notJudged("no room")])
        XCTAssertEqual(MutantRates(rows: [row]).percent, 50)
        XCTAssertEqual(row.notJudged.count, 1)
    }

    func testAMutantThatIsCaughtTheSecondTimeIsNamed() {
        let once = MutantOutcome(mutants[0], .caught(by: "x"), timesSurvived: 1)
        let row = MutantRow(exercise: exercise, outcomes: [once], reasons: [:])
        XCTAssertEqual(row.sometimes.count, 1)
        XCTAssertEqual(MutantRates(rows: [row]).percent, 100)
    }

    func testTheShareIsRoundedDown() {
        let rows = (0..<500).map { _ in row([.caught(by: "x"), .caught(by: "x")]) }
        let rates = MutantRates(rows: rows + [row([.survived])])
        XCTAssert(rates.areGood)
        XCTAssert(rates.markdown.hasSuffix("| 1001 | 1001 | 0 | 1001 | 1000 | 99.9 % |\n"))
    }

    private func row(_ verdicts: [MutantOutcome.Verdict], allowed: [Int] = []) -> MutantRow {
        let outcomes = zip(mutants, verdicts).map { MutantOutcome($0, $1, timesSurvived: 0) }
        let reasons = allowed.map { (mutants[$0].name, "Why.") }
        return MutantRow(
            exercise: exercise, outcomes: outcomes,
            reasons: Dictionary(uniqueKeysWithValues: reasons))
    }
}
