import Foundation
import Registry
import XCTest

/// Code in a chapter is the code of the sources.
final class DocumentTests: XCTestCase {
    func testSwiftInChaptersIsTakenFromTheSources() throws {
        for document in try Tree.documents() {
            for block in try MarkdownBlock.all(in: document) where block.language == "swift" {
                guard let words = block.comment.map(words), words.first == "code:" else {
                    XCTFail("\(document):\(block.line): a Swift block without <!-- code: PATH -->")
                    continue
                }
                let source = try lines(of: words[1], marker: words.dropFirst(2).first)
                XCTAssert(
                    contains(source, block.lines),
                    "\(document):\(block.line): this is not in \(words[1]) any more")
            }
        }
    }

    func testLinksLeadSomewhere() throws {
        for document in try Tree.documents() {
            let folder = URL(fileURLWithPath: Tree.path(document)).deletingLastPathComponent()
            for link in links(in: try Tree.text(document)) where !link.contains("://") {
                let file = link.prefix { $0 != "#" }
                if file.isEmpty { continue }
                let target = folder.appendingPathComponent(String(file)).path
                XCTAssert(
                    FileManager.default.fileExists(atPath: target), "\(document) links to \(link)")
            }
        }
    }

    func testReadmeShowsThePointsOfTheRegistry() throws {
        let readme = try Tree.text("README.md")
        for exercise in Course.exercises {
            let (checks, points) = (exercise.checks.count, exercise.points)
            XCTAssert(
                readme.contains("\(checks)/\(checks) checks  \(points)/\(points) points\n"),
                "README.md: \(exercise.id) has \(checks) checks and \(points) points")
        }
        let sum = Course.exercises.reduce(0) { $0 + $1.points }
        XCTAssert(readme.contains("Score: \(sum)/\(sum) points (100 %)\n"), "it is \(sum) points")
        XCTAssert(readme.contains("Score: 0/\(sum) points (0 %)\n"), "it is \(sum) points")
    }

    func testReadmeQuotesTheMeasuredRates() throws {
        for name in ["Tests/Submissions/RATES.md", "Tests/Submissions/MUTANTS.md"] {
            let rates = try Tree.text(name)
            XCTAssert(
                try Tree.text("README.md").contains(rates.trimmingCharacters(in: .newlines)),
                "README.md does not quote \(name) as it stands")
        }
    }

    private func words(_ text: String) -> [String] {
        text.split(separator: " ").map(String.init)
    }

    /// The lines of a file, or those between `//> NAME` and `//< NAME`.
    private func lines(of path: String, marker: String?) throws -> [String] {
        let all = try Tree.text(path).components(separatedBy: "\n")
        guard let marker else { return all }
        let start = try XCTUnwrap(
            all.firstIndex { $0.hasSuffix("//> \(marker)") }, "\(path): \(marker)")
        let end = try XCTUnwrap(
            all.firstIndex { $0.hasSuffix("//< \(marker)") }, "\(path): \(marker)")
        return Array(all[(start + 1)..<end])
    }

    /// Whether the lines stand together in the source, however far they are indented there.
    private func contains(_ source: [String], _ lines: [String]) -> Bool {
        let wanted = dedented(lines)
        guard source.count >= wanted.count else { return false }
        return (0...(source.count - wanted.count)).contains { start in
            dedented(Array(source[start..<(start + wanted.count)])) == wanted
        }
    }

    private func dedented(_ lines: [String]) -> [String] {
        let indents = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }
        return lines.map { String($0.dropFirst(indents.min() ?? 0)) }
    }

    private func links(in text: String) -> [String] {
        text.components(separatedBy: "](").dropFirst().map { String($0.prefix { $0 != ")" }) }
    }
}

/// A fenced block of a Markdown file, and the comment in the line before it.
struct MarkdownBlock {
    let language: String
    let comment: String?
    let line: Int
    let lines: [String]

    static func all(in document: String) throws -> [MarkdownBlock] {
        let lines = try Tree.text(document).components(separatedBy: "\n")
        var blocks: [MarkdownBlock] = []
        var start: Int?
        for (index, line) in lines.enumerated() where line.hasPrefix("```") {
            guard let opened = start else {
                start = index
                continue
            }
            let before = opened > 0 ? lines[opened - 1] : ""
            let comment = before.hasPrefix("<!-- ") ? String(before.dropFirst(5).dropLast(4)) : nil
            blocks.append(
                MarkdownBlock(
                    language: String(lines[opened].dropFirst(3)), comment: comment,
                    line: opened + 1, lines: Array(lines[(opened + 1)..<index])))
            start = nil
        }
        return blocks
    }
}
