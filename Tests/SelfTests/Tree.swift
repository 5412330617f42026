import Foundation
import XCTest

/// The course's own files, found from where this source file was compiled.
enum Tree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Where this test bundle lies, and all that was built with it.
    static let buildDirectory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    static func path(_ name: String) -> String { "\(root)/\(name)" }

    static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    /// Every Markdown file that a reader of the course meets.
    static func documents() throws -> [String] {
        let chapters = try FileManager.default.contentsOfDirectory(atPath: path("chapters"))
        return ["README.md"]
            + chapters.filter { $0.hasSuffix(".md") }.sorted().map { "chapters/\($0)" }
    }
}

/// An empty directory that is gone when the test has ended.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "workbook-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
