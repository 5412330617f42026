import Pipeline
import Registry
import XCTest

/// Whose fault an error of the compiler is, by where it points.
final class BuildTests: XCTestCase {
    func testAnErrorInGivenCodeIsNeverTheLearners() throws {
        let errors = try errors(
            """
            /clone/Exercises/Support/Listener.swift:15:35: error: cannot find 'SOCK_STREAM' in scope
            13 | func openListener() {
               |   `- error: cannot find 'SOCK_STREAM' in scope
            error: emit-module command failed with exit code 1
            """)
        XCTAssertEqual(errors.own, [])
        XCTAssertEqual(errors.beside, [])
        XCTAssertEqual(
            errors.given,
            [
                "/clone/Exercises/Support/Listener.swift:15:35: error: cannot find 'SOCK_STREAM' in "
                    + "scope"
            ])
    }

    func testAnErrorInTheLearnersFileIsTheLearners() throws {
        let errors = try errors(
            """
            /clone/Exercises/01-blocking/blocking-tcp/Server.swift:1:13: error: expected parameter
            /clone/Exercises/01-blocking/blocking-tcp/Server.swift:1:13: error: expected parameter
            /clone/Exercises/01-blocking/blocking-tcp/main.swift:3:44: error: cannot find 'serve'
            """)
        XCTAssertEqual(errors.own, ["Server.swift:1:13: error: expected parameter"])
        XCTAssertEqual(errors.beside, ["main.swift:3:44: error: cannot find 'serve'"])
        XCTAssertEqual(errors.given, [])
    }

    func testTheLinkersWordsPointAtNoGivenFile() throws {
        let errors = try errors(
            """
            /clone/.build/debug/blocking_tcp.build/Server.swift.o:Server.swift:function serve: error: \
            undefined reference to 'x'
            /clone/Exercises/01-blocking/blocking-tcp/Server.swift:7: error: undefined reference to 'x'
            <unknown>:0: error: fatal error encountered during compilation
            """)
        XCTAssertEqual(errors.own, ["Server.swift:7: error: undefined reference to 'x'"])
        XCTAssertEqual(errors.given, [])
    }

    private func errors(_ output: String) throws -> Errors {
        Errors(in: output, of: try XCTUnwrap(Course.exercise("blocking-tcp")))
    }
}
