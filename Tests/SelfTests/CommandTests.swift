import Foundation
import FoundationXML
import Harness
import Pipeline
import Registry
import Reports
import XCTest

/// The commands of README and chapters, run as they stand in a copy of the tree.
///
/// SwiftPM locks the tree while `swift test` runs, and building a copy takes minutes, so this is
/// left to CI: `CI=1 swift test --filter CommandTests`.
final class CommandTests: XCTestCase {
    private static let copy = Result { try CopiedTree() }

    override class func tearDown() {
        try? FileManager.default.removeItem(atPath: CopiedTree.path)
    }

    override func setUpWithError() throws {
        try XCTSkipIf(
            (ProcessInfo.processInfo.environment["CI"] ?? "").isEmpty,
            "Builds a copy of the tree; run it with CI=1.")
    }

    func testCommandsOfTheReadmeAndTheSetup() throws {
        let copy = try Self.copy.get()
        try copy.restore()
        try run(["README.md", "chapters/README.md", "chapters/00-setup.md"], in: copy)
    }

    func testCommandsOfTheChapters() throws {
        let copy = try Self.copy.get()
        try copy.solveEverything()
        try run(Course.chapters.flatMap(\.texts).map { "chapters/\($0).md" }, in: copy)
    }

    func testASyntaxErrorStopsNoOtherExercise() throws {
        let copy = try Self.copy.get()
        try copy.solveEverything()
        let broken = "\(copy.path)/Exercises/01-blocking/blocking-udp/Server.swift"
        try "func serve( {".write(toFile: broken, atomically: true, encoding: .utf8)
        let other = try copy.bash("swift run grader check blocking-tcp")
        XCTAssertEqual(other.status, .exited(0), other.output)
        let points = try XCTUnwrap(Course.exercise("blocking-tcp")).points
        XCTAssert(other.output.contains("\(points)/\(points) points"), other.output)
        let own = try copy.bash("swift run grader check blocking-udp")
        XCTAssertEqual(own.status, .exited(1), own.output)
        XCTAssert(own.output.contains("build-failed"), own.output)
        XCTAssert(own.output.contains("Server.swift:1:13: error:"), own.output)
    }

    /// What Server.swift no longer declares is missed in main.swift, a given file: the learner's fault
    /// all the same. An error in Support never is.
    func testAnErrorInGivenCodeIsNeverTheLearners() throws {
        let copy = try Self.copy.get()
        try copy.solveEverything()
        let renamed = try copy.bash(
            "sed -i 's/func serve/func served/' Exercises/01-blocking/blocking-udp/Server.swift\n"
                + "swift run grader check blocking-udp")
        XCTAssertEqual(renamed.status, .exited(1), renamed.output)
        XCTAssert(
            renamed.output.contains("error: cannot find 'serve' in scope"), renamed.output)
        let imported = try copy.bash(
            "sed -i 's/^import Support/import Nonblocking\\n&/; s/setNonblocking(listener)/"
                + "Nonblocking.setNonblocking(listener)/' "
                + "Exercises/02-nonblocking/nonblocking-tcp/Server.swift\n"
                + "swift run grader check nonblocking-tcp")
        XCTAssertEqual(imported.status, .exited(1), imported.output)
        XCTAssert(
            imported.output.contains("Server.swift imports Nonblocking, which nonblocking-tcp"),
            imported.output)
        let broken = try copy.bash(
            "echo 'let number: Int = \"\"' >>Exercises/Support/Errno.swift\n"
                + "swift run grader grade Solutions --exercises blocking-udp; echo status $?\n"
                + "sed -i '$ d' Exercises/Support/Errno.swift")
        XCTAssert(broken.output.contains("The given code does not build: /"), broken.output)
        XCTAssert(broken.output.contains("status 3\n"), broken.output)
    }

    func testOneBadExerciseInASubmissionStopsNoOther() throws {
        let copy = try Self.copy.get()
        let script = """
            set -e
            rm -rf submission && cp -r Solutions submission && cd submission/01-blocking
            ln -sf /etc/passwd blocking-udp/Server.swift
            echo 'func serve( {' > blocking-tcp/Server.swift
            echo 'let help = 1' > blocking-tcp/Extra.swift
            cd ../..
            swift run grader grade submission --format json --output r.json --format text
            """
        let (status, output) = try copy.bash(script)
        XCTAssertEqual(status, .exited(0), output)
        let data = try Data(contentsOf: URL(fileURLWithPath: copy.path + "/r.json"))
        let report = try JSONDecoder().decode(Report.self, from: data)
        XCTAssertEqual(
            report.exercises.map(\.status),
            [.buildFailed, .buildFailed] + Course.exercises.dropFirst(2).map { _ in .passed })
        XCTAssertEqual(
            report.exercises[0].message,
            "Server.swift is a symbolic link; submit the file itself.")
        let errors = try XCTUnwrap(report.exercises[1].message)
        XCTAssert(errors.hasPrefix("Server.swift:1:13: error:"), errors)
        XCTAssert(errors.hasSuffix("left out: Extra.swift."), errors)
    }

    func testAFigureIsDrawnInEveryFormat() throws {
        let copy = try Self.copy.get()
        try copy.solveEverything()
        let script = """
            set -e
            for format in text svg mermaid json; do
                swift run grader trace blocking-udp --solution --format $format --output f.$format
            done
            """
        let (status, output) = try copy.bash(script)
        XCTAssertEqual(status, .exited(0), output)
        let svg = try XMLDocument(contentsOf: URL(fileURLWithPath: copy.path + "/f.svg"))
        XCTAssertEqual(svg.rootElement()?.elements(forName: "svg").count, 2, "own and reference's")
        let json = try Data(contentsOf: URL(fileURLWithPath: copy.path + "/f.json"))
        let figures = try XCTUnwrap(JSONSerialization.jsonObject(with: json) as? [[String: Any]])
        XCTAssertEqual(
            figures.compactMap { $0["title"] as? String },
            ["blocking-udp", "blocking-udp (solution)"])
        let mermaid = try String(contentsOfFile: copy.path + "/f.mermaid", encoding: .utf8)
        XCTAssert(mermaid.contains("A0->>K: recvfrom(3)"), mermaid)
        XCTAssert(mermaid.contains("waiting: no datagram ready"), mermaid)
    }

    /// What strace traces, nobody else may: so a machine looks that does not permit tracing at all.
    func testARefusedTracerIsNotTheLearnersFault() throws {
        let copy = try Self.copy.get()
        let (status, output) = try copy.bash(
            "swift run grader grade Solutions --exercises blocking-tcp >/dev/null; "
                + "strace -f -qq -o /dev/null .build/debug/grader grade Solutions "
                + "--exercises blocking-tcp --pass-at 100")
        XCTAssertEqual(status, .exited(0), output)
        XCTAssert(output.contains("testUsesTheCallsOfTheModel (not-verified)"), output)
        XCTAssert(output.contains("This machine does not permit tracing"), output)
        XCTAssert(output.contains("(100 %); "), output)
    }

    func testALowDescriptorLimitIsNotTheLearnersFault() throws {
        let copy = try Self.copy.get()
        let (status, output) = try copy.bash(
            "swift build >/dev/null; ulimit -n 1024; swift run grader grade Solutions "
                + "--exercises poll-echo --pass-at 100")
        XCTAssertEqual(status, .exited(0), output)
        XCTAssert(output.contains("testServesManyClients (not-verified)"), output)
        XCTAssert(output.contains("this machine allows 1024"), output)
    }

    func testFiguresOfTheChaptersAreFresh() throws {
        let copy = try Self.copy.get()
        try copy.restore()
        for document in try Tree.documents() {
            for block in try MarkdownBlock.all(in: document) {
                guard let comment = block.comment, comment.hasPrefix("figure: ") else { continue }
                let exercise = comment.dropFirst("figure: ".count)
                let command = "swift run grader trace \(exercise) --solution --format mermaid"
                let (status, output) = try copy.bash("\(command) --output f.mermaid")
                XCTAssertEqual(status, .exited(0), output)
                let figure = try String(contentsOfFile: copy.path + "/f.mermaid", encoding: .utf8)
                XCTAssertEqual(
                    figure.split(separator: "\n").map { shape(String($0)) }, block.lines.map(shape),
                    "\(document):\(block.line): \(command) draws another figure now:\n\(figure)")
            }
        }
    }

    private func run(_ documents: [String], in copy: CopiedTree) throws {
        for document in documents {
            for block in try MarkdownBlock.all(in: document) where block.language == "console" {
                if block.comment?.hasPrefix("not run:") == true { continue }
                try run(block, of: document, in: copy)
            }
        }
    }

    private func run(_ block: MarkdownBlock, of document: String, in copy: CopiedTree) throws {
        let commands = block.lines.filter { $0.hasPrefix("$ ") }.map { $0.dropFirst(2) }
        let (status, output) = try copy.bash(commands.joined(separator: "\n"))
        XCTAssertEqual(status, .exited(0), "\(document):\(block.line):\n\(output)")
        // What the README says of the course in numbers is so; only times differ from run to run.
        let shape = document == "README.md" ? shapeButTimes : shape
        let lines = Set(output.components(separatedBy: "\n").map(shape))
        for line in block.lines where !line.hasPrefix("$ ") && line != "…" {
            XCTAssert(
                lines.contains(shape(line)),
                "\(document):\(block.line): no such line:\n\(line)\nin:\n\(output)")
        }
    }

    /// A line in which every number with a decimal point is N.
    private func shapeButTimes(_ line: String) -> String {
        line.replacingOccurrences(
            of: #"[0-9]+\.[0-9]+"#, with: "N", options: .regularExpression
        ).trimmingCharacters(in: .whitespaces)
    }

    /// A line in which every number is N: ports, times and counts differ from run to run.
    private func shape(_ line: String) -> String {
        line.replacingOccurrences(
            of: #"0x[0-9a-f]+|[0-9]+([.,][0-9]+)*"#, with: "N", options: .regularExpression
        ).replacingOccurrences(of: #"\s+"#, with: " ", options: .regularExpression)
            .trimmingCharacters(in: .whitespaces)
    }
}

/// A copy of the tree without its `.build`, in which the learner's files can be changed.
private struct CopiedTree {
    static let path = NSTemporaryDirectory() + "workbook-\(UUID().uuidString)"
    let path = Self.path

    init() throws {
        let copy = try bash(
            "mkdir '\(path)' && cd '\(Tree.root)' && tar c --exclude=.build --exclude=.git . "
                + "| tar x -C '\(path)'", in: "/")
        XCTAssertEqual(copy.status, .exited(0), copy.output)
        let build = try bash("swift build")
        XCTAssertEqual(build.status, .exited(0), build.output)
    }

    func restore() throws { try lay("Exercises") }

    func solveEverything() throws { try lay("Solutions") }

    /// Puts every Server.swift there as it is in `side`, and builds.
    private func lay(_ side: String) throws {
        for exercise in Course.exercises {
            let data = try Data(
                contentsOf: URL(fileURLWithPath: Tree.path("\(side)/\(exercise.path)/Server.swift"))
            )
            try data.write(
                to: URL(fileURLWithPath: "\(path)/Exercises/\(exercise.path)/Server.swift"))
        }
        let build = try bash("swift build")
        XCTAssertEqual(build.status, .exited(0), build.output)
    }

    /// Runs a script in the copy, as a learner's shell would, and ends what it leaves behind.
    func bash(
        _ script: String, in directory: String? = nil
    ) throws -> (status: ExitStatus, output: String) {
        let process = try ChildProcess(
            "/bin/bash", ["-c", script + "\n"], environment: ["CI": "", "NO_COLOR": "1"],
            directory: directory ?? path)
        let status = process.wait(until: Deadline(seconds: 900))
        killpg(process.pid, SIGKILL)
        killOrphans()
        let output = process.standardOutput + process.standardError
        return (try XCTUnwrap(status, script), String(decoding: output, as: UTF8.self))
    }
}
