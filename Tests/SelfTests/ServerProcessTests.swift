import CLinux
import Glibc
import Harness
import XCTest

/// Whose doing it is when the harness cannot go on with a server.
final class ServerProcessTests: XCTestCase {
    func testAServerThatHasEndedIsNeverTheMachinesFault() throws {
        // Again and again: the kernel forgets it some moment before the tracing thread has told.
        for _ in 1...20 {
            let run = try run("blocking-tcp")
            defer { run.end() }
            let server = try run.startServer(trace: .serving)
            kill(server.proc.pid, SIGKILL)
            XCTAssertThrowsError(try { while true { try server.limitDescriptors(to: 64) } }()) {
                self.requireEnd($0, "the server was ended by SIGKILL")
            }
            XCTAssertThrowsError(try server.withCopy(of: 3) { _ in }) {
                self.requireEnd($0, "the server was ended by SIGKILL")
            }
        }
    }

    private func requireEnd(_ error: any Error, _ words: String) {
        let failure = error as? CheckFailure
        XCTAssertEqual(failure?.kind, .failed, "\(error)")
        XCTAssertEqual(failure?.found, words + ".")
    }

    private func run(_ exercise: String) throws -> CheckRun {
        try CheckRun(exercise: exercise, subject: .solutions, seed: 1, seconds: 20)
    }
}
