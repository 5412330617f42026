import CLinux
import Foundation
import Glibc
import XCTest

import Harness

/// The tracer, tried on programs of the distribution, and compared with strace.
final class TraceTests: XCTestCase {
    private let calls: Set<Int32> = [SYS_read, SYS_write, SYS_openat, SYS_close]

    func testCountsWhatStraceCounts() throws {
        let script = "for i in 1 2 3; do cat /etc/passwd >/dev/null; done; (exec true) & wait"
        let ours = Dictionary(
            grouping: try traced(script).filter { $0.kind == .call }, by: \.call.name
        )
        .mapValues(\.count)

        let tool = "/usr/bin/strace"
        if access(tool, X_OK) != 0 {
            if environmentVariable("CI")?.isEmpty == false { XCTFail("CI must install strace.") }
            throw XCTSkip("strace is not installed.")
        }
        let arguments = ["-f", "-qq", "-e", "trace=read,write,openat,close", "-e", "signal=none"]
        let strace = try ChildProcess(tool, arguments + ["sh", "-c", script])
        XCTAssertEqual(strace.wait(until: Deadline(seconds: 20)), .exited(0))
        let lines = String(decoding: strace.standardError, as: UTF8.self).split(separator: "\n")
        // A call that another thread's line interrupts has two lines; the second says `resumed`.
        let names = lines.filter { !$0.contains("resumed>") }.compactMap { line in
            line.split(separator: "(").first?.split(separator: " ").last.map(String.init)
        }
        let theirs = Dictionary(grouping: names.filter { ours[$0] != nil }) { $0 }.mapValues(
            \.count)
        XCTAssertEqual(ours, theirs)
        XCTAssertGreaterThan(ours["read"] ?? 0, 6)
    }

    func testFollowsChildrenAndNewPrograms() throws {
        let events = try traced("cat /dev/null; cat /dev/null")
        XCTAssertEqual(events.filter { $0.kind == .start }.count, 2)
        // The shell itself, and two programs.
        XCTAssertEqual(events.filter { $0.kind == .exec }.count, 3)
        XCTAssertEqual(Set(events.map(\.thread)).count, 3)
        XCTAssertEqual(events.filter { $0.kind == .end }.count, 3)
    }

    func testTellsWhetherACallHasWaited() throws {
        let trace = SyscallTrace(calls: [SYS_read, SYS_clock_nanosleep])
        let process = try ChildProcess("/bin/sleep", ["0.05"], trace: trace)
        XCTAssertEqual(process.wait(until: Deadline(seconds: 20)), .exited(0))
        let sleeps = trace.calls(SYS_clock_nanosleep)
        XCTAssertEqual(sleeps.map(\.hasWaited), [true])
        let end = try XCTUnwrap(sleeps.first?.end)
        XCTAssertGreaterThanOrEqual(end - sleeps[0].start, 50_000_000)
    }

    func testAStoppedProgramStaysStoppedAndGoesOn() throws {
        let process = try ChildProcess(
            "/bin/sleep", ["1000"], trace: SyscallTrace(calls: [SYS_clock_nanosleep]))
        // Asleep first: while it starts, each call of interest stops it for a moment, too.
        XCTAssert(waits(for: "S", process), "it does not sleep")
        kill(process.pid, SIGSTOP)
        XCTAssert(waits(for: "t", process), "it is not stopped")
        kill(process.pid, SIGCONT)
        XCTAssert(waits(for: "S", process), "it does not go on")
        process.kill()
        XCTAssertEqual(process.exitStatus(), .signalled(SIGKILL))
    }

    func testAFaultComesAtItsCallEveryTime() throws {
        for _ in 1...20 {
            let trace = SyscallTrace(calls: [SYS_write])
            trace.inject(.fail(EIO), at: 2, of: [SYS_write])
            let (status, words) = try run("echo one; echo two; echo three", trace)
            XCTAssertEqual(words, "one\nthree\n")
            XCTAssertEqual(status, .exited(0))
            let results = trace.calls(SYS_write).prefix(3)
            XCTAssertEqual(results[1].result, -Int(EIO))
            XCTAssertEqual(results.map(\.isInjected), [false, true, false])
        }
    }

    func testTheCallsThatTellAreKeptAndNotCounted() throws {
        let trace = SyscallTrace(calls: [SYS_read])
        XCTAssertEqual(try run("exec 7</dev/null; exec 7<&-", trace).status, .exited(0))
        XCTAssertTrue(trace.events.allSatisfy { $0.kind != .call || $0.number == SYS_read })
        let told = trace.history.filter { $0.kind == .call && $0.number != SYS_read }
        XCTAssertTrue(told.contains { $0.call.name == "close" && $0.call.descriptor == 7 })
        XCTAssertFalse(told.contains(where: \.hasWaited))
    }

    func testAReadCanBeShortened() throws {
        // The first read is the dynamic loader's, of the C library.
        let trace = SyscallTrace(calls: [SYS_read])
        trace.inject(.shorten(to: 7), at: 2, of: [SYS_read])
        let process = try ChildProcess(
            "/bin/dd", ["if=/etc/passwd", "of=/dev/null", "bs=100", "count=2"],
            environment: ["LC_ALL": "C"], trace: trace)
        XCTAssertEqual(process.wait(until: Deadline(seconds: 20)), .exited(0))
        let reads = trace.calls(SYS_read)
        XCTAssertEqual(reads.map(\.result).prefix(3), [832, 7, 100])
        XCTAssertEqual(reads.map(\.isInjected).prefix(3), [false, true, false])
    }

    func testASignalCanComeJustBeforeACall() throws {
        let script =
            "trap 'echo caught' USR1; read -u 7 line; echo $line; read -u 7 line; echo $line"
        let lines = try scratchFile("one\ntwo\n")
        for _ in 1...20 {
            let trace = SyscallTrace(calls: [SYS_read])
            trace.hold(at: 1, of: [SYS_read], from: 7)
            let process = try ChildProcess(
                "/bin/bash", ["-c", "exec 7<\(lines); \(script)"], trace: trace)
            let deadline = Deadline(seconds: 20)
            while !trace.isHolding, !deadline.hasPassed { process.waitForEnd(milliseconds: 1) }
            XCTAssert(trace.isHolding, "it never came to the call")
            kill(process.pid, SIGUSR1)
            XCTAssertEqual(process.standardOutput, [])
            trace.release()
            XCTAssertEqual(process.wait(until: deadline), .exited(0))
            let events = trace.events
            let signal = try XCTUnwrap(events.firstIndex { $0.kind == .signal })
            let read = try XCTUnwrap(
                events.firstIndex { $0.kind == .call && $0.call.descriptor == 7 })
            XCTAssertLessThan(signal, read, "the signal came in the call, not before it")
            XCTAssertFalse(events.contains { $0.result ?? 0 < 0 })
            XCTAssert(LastCalls(events).text?.contains("SIGUSR1 just before read") == true)
            XCTAssertEqual(
                String(decoding: process.standardOutput, as: UTF8.self), "caught\none\ntwo\n")
        }
    }

    private func scratchFile(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + "trace-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
        return path
    }

    private func waits(for state: Character, _ process: ChildProcess) -> Bool {
        let deadline = Deadline(seconds: 10)
        while !deadline.hasPassed {
            let proc = ProcFS(pid: process.pid)
            let isAsleep = proc.threads().first?.call?.number != nil
            if proc.state == state, state != "S" || isAsleep { return true }
            process.waitForEnd(milliseconds: 1)
        }
        return false
    }

    private func traced(_ script: String) throws -> [TraceEvent] {
        let trace = SyscallTrace(calls: calls)
        XCTAssertEqual(try run(script, trace).status, .exited(0))
        return trace.events
    }

    private func run(
        _ script: String, _ trace: SyscallTrace
    ) throws -> (status: ExitStatus?, words: String) {
        let process = try ChildProcess("/bin/sh", ["-c", script], trace: trace)
        let status = process.wait(until: Deadline(seconds: 20))
        return (status, String(decoding: process.standardOutput, as: UTF8.self))
    }
}
