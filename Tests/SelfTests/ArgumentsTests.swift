import Pipeline
import Verbs
import XCTest

/// The words after a verb, taken apart.
final class ArgumentsTests: XCTestCase {
    private let known = [
        Verb.Option("--format", "FORMAT", about: ""), Verb.Option("--output", "FILE", about: ""),
        Verb.Option("--solution", about: ""),
    ]

    func testWordsOptionsAndFlagsComeInAnyOrder() throws {
        let arguments = try Arguments(
            ["--format", "json", "a", "--solution", "-", "--format", "text"], options: known)
        XCTAssertEqual(arguments.words, ["a", "-"])
        XCTAssertEqual(arguments.flags, ["--solution"])
        XCTAssertEqual(arguments.options.map(\.value), ["json", "text"])
        XCTAssertEqual(arguments.value(of: "--format"), "text", "the last one counts")
        XCTAssertNil(arguments.value(of: "--output"))
    }

    func testAValueMayLookLikeAnOption() throws {
        let arguments = try Arguments(["--output", "--solution"], options: known)
        XCTAssertEqual(arguments.value(of: "--output"), "--solution")
        XCTAssertEqual(arguments.flags, [])
    }

    func testWhatIsNotKnownIsRefused() {
        for (words, error) in [
            (["--formt", "x"], "There is no option --formt here."),
            (["-x"], "There is no option -x here."),
            (["--format"], "The option --format needs a value."),
        ] {
            XCTAssertThrowsError(try Arguments(words, options: known)) {
                XCTAssertEqual("\($0)", error)
            }
        }
    }
}
