import Harness
import Pipeline
import Registry
import Verification
import XCTest

/// The table in Package.swift, the registry, the folders and the chapters say the same.
final class RegistryTests: XCTestCase {
    func testManifestNamesTheExercisesOfTheRegistry() throws {
        let manifest = try Tree.text("Package.swift")
        for chapter in Course.chapters {
            let ids = chapter.exercises.map { "\"\($0.id)\"" }.joined(separator: ", ")
            let row = "(\"\(chapter.id)\", [\(ids)])"
            XCTAssert(manifest.contains(row), "Package.swift has no row \(row)")
        }
        // What an exercise may import is said twice: a manifest can import no module.
        let registry = try Tree.text("Tests/Registry/Exercise.swift")
        for line in [
            #"if id == "blocking-tcp" { return [] }"#,
            #"return chapter < "03" ? ["Listening"] : ["Listening", "Nonblocking"]"#,
        ] {
            XCTAssert(manifest.contains(line) && registry.contains(line), line)
        }
        let rows = manifest.split(separator: "\n").filter { $0.hasPrefix("    (\"") }
        XCTAssertEqual(rows.count, Course.chapters.count, "a chapter is not in the registry")
    }

    func testFoldersAreThoseOfTheRegistry() throws {
        for side in ["Exercises", "Solutions"] {
            let chapters = directory(Tree.path(side)).filter { $0.first?.isNumber == true }.sorted()
            XCTAssertEqual(chapters, Course.chapters.map(\.id), side)
            for chapter in Course.chapters {
                let folders = Set(directory(Tree.path("\(side)/\(chapter.id)")))
                XCTAssertEqual(folders, Set(chapter.exercises.map(\.id)), "\(side)/\(chapter.id)")
            }
        }
    }

    func testIdsAreUnique() {
        let ids = Course.exercises.map(\.id)
        XCTAssertEqual(Set(ids).count, ids.count)
    }

    func testEachExerciseIsComplete() throws {
        for exercise in Course.exercises {
            XCTAssertGreaterThan(exercise.points, 0, exercise.id)
            XCTAssertGreaterThanOrEqual(exercise.hints.count, 3, "\(exercise.id) needs three hints")
            for text in exercise.hints + exercise.checks.flatMap({ [$0.title, $0.hint] }) {
                XCTAssert(text.hasSuffix(".") || text.hasSuffix("`."), "no sentence: \(text)")
            }
            for check in exercise.checks {
                let before = exercise.checks.prefix { $0.method != check.method }.map(\.method)
                if let other = check.restsOn {
                    XCTAssert(before.contains(other), "\(check.method) rests on a later \(other)")
                }
            }
            let text = try Tree.text("chapters/\(exercise.text).md")
            XCTAssert(
                text.contains("\n## \(exercise.section)\n"),
                "chapters/\(exercise.text).md has no section “\(exercise.section)”")
        }
    }

    /// A stub leads to the text that its row names, in its head and in what it says when it is run.
    func testStubsNameTheirText() throws {
        for exercise in Course.exercises {
            let stub = try Tree.text("Exercises/\(exercise.path)/Server.swift")
            XCTAssert(stub.contains("// Read chapters/\(exercise.text).md first."), exercise.id)
            let parts = stub.components(separatedBy: "unwritten(").count
            let said = stub.components(separatedBy: ", chapter: \"\(exercise.text)\")").count
            XCTAssertEqual(parts, said, exercise.id)
        }
    }

    func testTheMapLeadsToEveryText() throws {
        let map = try Tree.text("chapters/README.md")
        for document in try Tree.documents() where document.hasPrefix("chapters/") {
            let file = document.dropFirst("chapters/".count)
            XCTAssert(file == "README.md" || map.contains("](\(file))"), "no link to \(file)")
        }
    }

    func testSuitesHaveTheChecksOfTheRegistry() throws {
        for exercise in Course.exercises {
            for (kind, suite) in [("Public", "Tests"), ("Hidden", "HiddenTests")] {
                let name = exercise.suiteName + suite
                let folder = "Tests/\(kind)/\(exercise.chapter)"
                let texts = try directory(Tree.path(folder)).map {
                    try Tree.text("\(folder)/\($0)")
                }
                .filter { $0.contains("class \(name):") || $0.contains("extension \(name) {") }
                let methods = texts.flatMap { $0.split(separator: "\n") }.compactMap { line in
                    line.hasPrefix("    func test")
                        ? String(line.dropFirst(9).prefix { $0 != "(" }) : nil
                }
                let wanted = exercise.checks.filter { $0.visibility.rawValue == kind.lowercased() }
                XCTAssertEqual(Set(methods), Set(wanted.map(\.method)), name)
            }
        }
    }

    func testEachCheckHasAWrongSubmissionAndEachExerciseARightOne() throws {
        for exercise in Course.exercises {
            let trials = try Submissions(try CourseTree()).trials(of: [exercise])
            let caught = trials.filter { $0.kind == .wrong }.map(\.caughtBy)
            for check in exercise.checks {
                XCTAssert(
                    caught.contains(check.method),
                    "no mistake in Wrong/\(exercise.id) is caught by \(check.method)")
            }
            let right = trials.filter { $0.kind == .right }
            XCTAssertGreaterThanOrEqual(right.count, 2, "Right/\(exercise.id)")
        }
    }

    func testExperimentsHaveNamesOfTheirOwn() throws {
        let lines = try Tree.text("Exercises/Experiments/main.swift").split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }
        let names = lines.compactMap { line in
            line.hasPrefix("(\"") || line.hasPrefix("\"")
                ? line.split(separator: "\"").first { $0 != "(" } : nil
        }
        XCTAssertGreaterThan(names.count, 10)
        XCTAssertEqual(Set(names).count, names.count, "\(names)")
    }

    func testNearestIdsComeFirst() {
        XCTAssertEqual(Course.ids(nearest: "blockin-tcp").first, "blocking-tcp")
        XCTAssertEqual(Course.ids(nearest: "thread-per-conection"), ["thread-per-connection"])
        XCTAssertEqual(Course.ids(nearest: "zzz"), [])
    }
}
