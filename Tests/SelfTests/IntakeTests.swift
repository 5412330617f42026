import Foundation
import Glibc
import Pipeline
import Registry
import XCTest

/// What a submission may bring, and what is said of the rest.
final class IntakeTests: XCTestCase {
    private let exercise = Course.exercises[0]

    func testTakesTheLearnersFileWithAndWithoutExercises() throws {
        for prefix in ["", "Exercises/"] {
            let submission = try TemporaryDirectory()
            let folder = try makeFolder(in: submission, prefix)
            try Data("// mine".utf8).write(to: URL(fileURLWithPath: folder + "/Server.swift"))
            try Data().write(to: URL(fileURLWithPath: folder + "/Extra.swift"))
            XCTAssertEqual(
                try Intake(submission: submission.path).take(exercise),
                .files(["Server.swift": Data("// mine".utf8)], ignored: ["Extra.swift"]))
        }
    }

    func testAMissingSubmissionAndAFileAreBadInput() throws {
        let submission = try TemporaryDirectory()
        XCTAssertThrowsError(try Intake(submission: submission.path + "/none")) { error in
            XCTAssert("\(error)".hasPrefix("There is no submission at"), "\(error)")
        }
        let file = submission.path + "/file"
        try Data().write(to: URL(fileURLWithPath: file))
        XCTAssertThrowsError(try Intake(submission: file)) { error in
            XCTAssert("\(error)".hasSuffix("is a file."), "\(error)")
        }
    }

    func testAnEmptySubmissionMissesEverything() throws {
        let submission = try TemporaryDirectory()
        XCTAssertEqual(try Intake(submission: submission.path).take(exercise), .missing)
    }

    func testLinksAreNotFollowed() throws {
        let submission = try TemporaryDirectory()
        let folder = try makeFolder(in: submission, "")
        symlink("/etc/passwd", folder + "/Server.swift")
        XCTAssertEqual(
            try Intake(submission: submission.path).take(exercise),
            .refused("Server.swift is a symbolic link; submit the file itself."))

        let linked = try TemporaryDirectory()
        symlink("\(submission.path)/01-blocking", "\(linked.path)/01-blocking")
        XCTAssertEqual(
            try Intake(submission: linked.path).take(exercise),
            .refused("01-blocking is a symbolic link; submit the folder itself."))
    }

    func testWhatIsNoFileIsRefused() throws {
        for make in [
            { mkdir($0, 0o755) }, { mkfifo($0, 0o644) },
        ] as [(String) -> CInt] {
            let submission = try TemporaryDirectory()
            let folder = try makeFolder(in: submission, "")
            XCTAssertEqual(make(folder + "/Server.swift"), 0)
            XCTAssertEqual(
                try Intake(submission: submission.path).take(exercise),
                .refused("Server.swift is not a file."))
        }
    }

    func testALargeFileIsRefused() throws {
        let submission = try TemporaryDirectory()
        let folder = try makeFolder(in: submission, "")
        let data = Data(repeating: 0x20, count: (1 << 20) + 1)
        try data.write(to: URL(fileURLWithPath: folder + "/Server.swift"))
        XCTAssertEqual(
            try Intake(submission: submission.path).take(exercise),
            .refused("Server.swift is larger than 1 MiB."))
    }

    func testANameThatIsNoUTF8IsLeftOut() throws {
        let submission = try TemporaryDirectory()
        let folder = try makeFolder(in: submission, "")
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/Server.swift"))
        let name = Array((folder + "/").utf8.map { CChar(bitPattern: $0) }) + [-1, -2, 0]
        let descriptor = open(name, O_CREAT | O_WRONLY, 0o644)
        XCTAssertNotEqual(descriptor, -1)
        close(descriptor)
        guard
            case .files(let files, let ignored) = try Intake(submission: submission.path)
                .take(exercise)
        else { return XCTFail("not taken") }
        XCTAssertEqual(Array(files.keys), ["Server.swift"])
        XCTAssertEqual(ignored.count, 1)
    }

    private func makeFolder(in submission: TemporaryDirectory, _ prefix: String) throws -> String {
        let folder = "\(submission.path)/\(prefix)\(exercise.path)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        return folder
    }
}
