import Pipeline
import Registry
import Verification
import XCTest

/// Mistakes are written as edits of correct submissions: each must still apply.
final class EditTests: XCTestCase {
    private let server = """
        let x = 1
        func serve() {
            //> your part: serve
            accept()
            close()
            close()
            //< your part: serve
        }
        close()
        """

    func testEachEditOfTheCourseApplies() throws {
        let trials = try Submissions(try CourseTree()).trials(of: Course.exercises)
        XCTAssertGreaterThan(trials.filter { $0.kind == .wrong }.count, 400)
    }

    func testAHunkReplacesLinesOfItsPart() throws {
        let text = try edit("@@ serve\n     accept()\n-    close()\n+    listen()").apply(
            to: server, name: "x")
        XCTAssertEqual(
            text, server.replacing("accept()\n    close()", with: "accept()\n    listen()"))
    }

    func testFileIsWhatStandsOutsideOfAllParts() throws {
        let text = try edit("@@ file\n-close()\n+listen()").apply(to: server, name: "x")
        XCTAssert(text.hasSuffix("}\nlisten()"), text)
    }

    func testLinesThatStandTwiceOrNowhereAreNamed() throws {
        for (hunk, words) in [
            ("@@ serve\n-    close()", "stand 2 times in 'serve':\n    close()"),
            ("@@ serve\n-    listen()", "stand nowhere in 'serve':\n    listen()"),
            ("@@ serve\n-let x = 1", "stand nowhere in 'serve':\nlet x = 1"),
            ("@@ other\n-    accept()", "stand nowhere in 'other':\n    accept()"),
        ] {
            XCTAssertThrowsError(try edit(hunk).apply(to: server, name: "wrong.edit")) { error in
                let text = "\(error)"
                XCTAssert(text.hasPrefix("wrong.edit no longer applies to solution: "), text)
                XCTAssert(text.contains(words), text)
            }
        }
    }

    func testWhatIsNoEditIsRefused() {
        for text in ["Base: solution", "@@ serve\n-x", "Base: solution\n@@ serve\n*x"] {
            XCTAssertThrowsError(try Edit(text, name: "x"), text)
        }
    }

    private func edit(_ hunks: String) throws -> Edit {
        try Edit("Caught by: a.b\nSays: c\nBase: solution\n\n\(hunks)\n", name: "x")
    }
}
