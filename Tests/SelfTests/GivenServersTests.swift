import Harness
import Scenes
import XCTest

/// What is given beside a learner's file, seen from outside of the reference server.
final class GivenServersTests: XCTestCase {
    /// A control room takes lines apart: see Lines in epoll-sources/Client.swift.
    func testALineOfTheGreatestLengthIsOneAndACutSparesCharacters() throws {
        let run = try CheckRun(
            exercise: "epoll-sources", subject: .solutions, seed: 1, seconds: 20)
        defer { run.end() }
        let room = try ControlRoom(run)
        let client = try room.join()
        let writer = try room.openFifo()
        let longest = String(repeating: "x", count: 8192)
        try room.write("\(longest)\nnext\n", into: writer)
        try client.expect("fifo \(longest)")
        try client.expect("fifo next")
        // 8,191 bytes, and a character of three: it does not fit any more, and must not be cut.
        let short = String(repeating: "y", count: 8191)
        try room.write("\(short)€end\n", into: writer)
        try client.expect("fifo \(short)")
        try client.expect("fifo €end")
        room.leaveFifo(writer)
    }
}
