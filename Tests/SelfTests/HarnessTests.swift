import CLinux
import Foundation
import Glibc
import XCTest

import Harness

/// The harness, tried on programs of the distribution.
final class HarnessTests: XCTestCase {
    func testExitStatusesAreToldApart() throws {
        let deadline = Deadline(seconds: 10)
        XCTAssertEqual(try shell("exit 7").wait(until: deadline), .exited(7))
        XCTAssertEqual(try shell("kill -PIPE $$").wait(until: deadline), .signalled(SIGPIPE))
        XCTAssertThrowsError(try ChildProcess("/nonexistent")) { error in
            XCTAssertEqual((error as? LaunchError)?.reason, ENOENT)
        }
    }

    func testOutputIsKeptAfterTheEnd() throws {
        let process = try shell("echo out; echo err >&2")
        XCTAssertEqual(process.wait(until: Deadline(seconds: 10)), .exited(0))
        XCTAssertEqual(process.standardOutput, Array("out\n".utf8))
        XCTAssertEqual(process.standardError, Array("err\n".utf8))
    }

    func testAChildInheritsThreeDescriptorsAndNoIgnoredSignal() throws {
        signal(SIGPIPE, SIG_IGN)
        defer { signal(SIGPIPE, SIG_DFL) }
        let extra = dup(1)
        defer { close(extra) }
        // Asked one by one: a pipe or a glob would open descriptors of the shell's own.
        let process = try shell(
            "for n in $(seq 0 40); do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; done; "
                + "grep SigIgn /proc/$$/status")
        XCTAssertEqual(process.wait(until: Deadline(seconds: 10)), .exited(0))
        let words = String(decoding: process.standardOutput, as: UTF8.self)
        XCTAssert(words.hasPrefix("0 1 2 SigIgn:\t0000000000000000"), words)
    }

    func testLimitsHold() throws {
        let flood = try ChildProcess(
            "/bin/sh", ["-c", "exec yes"], limits: Limits(fileBytes: 1 << 16))
        XCTAssertEqual(flood.wait(until: Deadline(seconds: 10)), .signalled(SIGXFSZ))
        let files = try ChildProcess(
            "/bin/sh", ["-c", "ulimit -n"], limits: Limits(openFiles: 17))
        _ = files.wait(until: Deadline(seconds: 10))
        XCTAssertEqual(files.standardOutput, Array("17\n".utf8))
    }

    func testNothingOutlivesAChild() throws {
        // One that stays in the group, and one that leaves it.
        let process = try shell("sleep 1000 & setsid sleep 1001 & wait")
        let all = try wait { () -> [Int32]? in
            let found = descendants(of: process.pid).filter { ProcFS(pid: $0).state == "S" }
            return found.count == 2 && found.allSatisfy(self.isSleep) ? found : nil
        }
        let other = try shell("exec sleep 1002")
        process.kill()
        killOrphans()
        for pid in all { XCTAssertNil(ProcFS(pid: pid).state, "\(pid) lives") }
        XCTAssertNil(other.exitStatus(), "a running child is no orphan")
    }

    func testAParkedProcessIsKnownByItsCall() throws {
        let process = try shell("exec sleep 1000")
        let call = try wait { () -> SystemCall? in
            guard self.isSleep(process.pid) else { return nil }
            return ProcFS(pid: process.pid).threads().first?.call
        }
        XCTAssertEqual(call.number, SYS_clock_nanosleep)
        XCTAssertEqual(call.name, "clock_nanosleep")
        XCTAssertFalse(call.waitsForever, "a sleep ends by itself")
        XCTAssertEqual(ProcFS(pid: process.pid).threadIDs(), [process.pid])
        XCTAssertGreaterThan(ProcFS(pid: process.pid).residentBytes, 0)
    }

    func testASystemCallIsReadFromTheKernelsLine() throws {
        let line = "\(SYS_read) 0x5 0x7ffd1000 0x400 0x0 0x0 0x0 0x7ffd0f00 0x7f12\n"
        let call = try XCTUnwrap(SystemCall(line))
        XCTAssertEqual(call.description, "read(5)")
        XCTAssert(call.waitsForever)
        XCTAssertNil(SystemCall("running\n"))
        XCTAssertNil(SystemCall("-1 0x7ffd0f00 0x7f12\n"))
    }

    func testASocketIsFoundInTheKernelsTable() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = loopback(0)
        XCTAssertEqual(withSockaddr(&address) { bind(listener, $0, $1) }, 0)
        let port = ownPort(listener)
        XCTAssertNil(SocketTable.listener(port: port))
        listen(listener, 5)
        let row = try XCTUnwrap(SocketTable.listener(port: port))
        XCTAssertEqual(row.localHost, "127.0.0.1")
        XCTAssertEqual(row.receiveQueue, 0)
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        address = loopback(port)
        XCTAssertEqual(withSockaddr(&address) { connect(client, $0, $1) }, 0)
        XCTAssertEqual(SocketTable.listener(port: port)?.receiveQueue, 1)
        let connection = SocketTable.connection(port: port, remotePort: ownPort(client))
        // Asked for by itself, and looked up in the kernel's list of all.
        let listed = SocketTable.tcp(port: port).first {
            $0.localPort == port && $0.remotePort == ownPort(client)
        }
        XCTAssertEqual(connection, listed)
        XCTAssertEqual(connection?.state, .established)
        XCTAssertEqual(connection?.inode, 0, "nobody has accepted it")
    }

    func testADifferenceIsMarked() throws {
        let expected = Array("hello, world\n".utf8)
        XCTAssertNil(Difference(expected: expected, received: Array("hello".utf8)))
        XCTAssertNil(Difference(expected: expected, from: 7, received: Array("world".utf8)))
        let other = try XCTUnwrap(Difference(expected: expected, received: Array("helLo".utf8)))
        XCTAssertEqual(other.offset, 3)
        XCTAssertEqual(other.received, "\"helLo\"\n    ^ byte 3")
    }

    func testBytesAreEscapedAndCounted() {
        XCTAssertEqual(escaped([0x68, 0x0a, 0x00, 0x22, 0xff]), #""h\n\x00\"\xff""#)
        XCTAssertEqual(escaped(Array(repeating: 0x61, count: 50), limit: 3), "\"aaa\"…")
        XCTAssertEqual(counted(1, "byte"), "1 byte")
        XCTAssertEqual(counted(65_507, "byte"), "65,507 bytes")
        XCTAssertEqual(counted(8_388_608, "byte"), "8,388,608 bytes")
        XCTAssertEqual(printable("a\u{1b}[31m\n"), "a·[31m·")
    }

    func testTheSameSeedGivesTheSameBytes() {
        var first = SeededGenerator(seed: 7)
        var second = SeededGenerator(seed: 7)
        var other = SeededGenerator(seed: 8)
        XCTAssertEqual(first.bytes(1000), second.bytes(1000))
        XCTAssertNotEqual(first.bytes(16), other.bytes(16))
        XCTAssertEqual(first.line(5).count, 6)
    }

    func testALongStoryIsFolded() {
        let story = Transcript()
        for number in 1...30 { story.add("step \(number)") }
        let lines = story.text.split(separator: "\n")
        XCTAssertEqual(lines.count, 21)
        XCTAssertEqual(lines[10], "… 10 more steps")
        XCTAssertEqual(lines.last, "30. step 30")
    }

    private func shell(_ script: String) throws -> ChildProcess {
        try ChildProcess("/bin/sh", ["-c", script])
    }

    private func isSleep(_ pid: Int32) -> Bool {
        readFile("/proc/\(pid)/comm") == "sleep\n"
            && ProcFS(pid: pid).threads().first?.call?.number == SYS_clock_nanosleep
    }

    /// Asks again until there is an answer, or ten seconds have passed.
    private func wait<Answer>(_ question: () -> Answer?) throws -> Answer {
        let deadline = Deadline(seconds: 10)
        while !deadline.hasPassed {
            if let answer = question() { return answer }
            poll(nil, 0, 1)
        }
        return try XCTUnwrap(nil)
    }
}
