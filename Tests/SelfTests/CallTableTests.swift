import CLinux
import Glibc
import Registry
import XCTest

import Harness

/// The one table of system calls, against the kernel's own list and against those who use it.
final class CallTableTests: XCTestCase {
    func testEveryRowHasTheKernelsNumber() throws {
        #if arch(x86_64)
            let path = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
        #else
            let path = "/usr/include/asm-generic/unistd.h"
        #endif
        guard let header = readFile(path) else { throw XCTSkip("\(path) is not installed.") }
        let pairs = header.split(separator: "\n").compactMap { line -> (String, Int32)? in
            let words = line.split(separator: " ")
            guard words.count == 3, words[1].hasPrefix("__NR"), let number = Int32(words[2]) else {
                return nil
            }
            let prefix = words[1].hasPrefix("__NR3264_") ? "__NR3264_" : "__NR_"
            return (String(words[1].dropFirst(prefix.count)), number)
        }
        let numbers = Dictionary(pairs) { first, _ in first }
        for row in CallRow.all {
            XCTAssertEqual(numbers[row.name], row.number, row.name)
        }
        XCTAssertEqual(Set(CallRow.all.map(\.number)).count, CallRow.all.count)
    }

    func testTheModelsNameCallsThatAreTraced() {
        let traced = Set(CallRow.all.filter { $0.tracing == .serving }.map(\.name))
        for exercise in Course.exercises {
            let signs = exercise.calls.forbid.flatMap(\.signs).filter {
                !["MSG_DONTWAIT", "EAGAIN"].contains($0)
            }
            for name in exercise.calls.require.flatMap({ $0 }) + signs {
                // A check that requires another call of its model traces it itself.
                let isKnown = CallRow.all.contains { $0.name == name }
                XCTAssert(
                    traced.contains(name) || isKnown && !signs.contains(name),
                    "\(exercise.id): \(name)")
            }
            XCTAssertEqual(
                signs.contains("epoll_wait"), signs.contains("epoll_pwait2"), exercise.id)
        }
    }

    func testTheFilterHasRoomForThem() {
        let traced = CallRow.all.filter { $0.tracing != .onRequest }
        XCTAssertLessThan(traced.count, 50)
        XCTAssertTrue(traced.contains { $0.name == "epoll_pwait2" })
        for row in CallRow.all where row.kind != .other {
            XCTAssertNotEqual(row.tracing, .onRequest)
        }
    }

    func testTellsWhichCallsWaitForever() {
        func waits(_ number: Int32, _ arguments: [UInt64]) -> Bool {
            let all = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
            return SystemCall(number: number, arguments: all).waitsForever
        }
        XCTAssertTrue(waits(SYS_read, [3]))
        XCTAssertTrue(waits(SYS_epoll_pwait, [4, 0, 0, UInt64(UInt32.max)]))
        XCTAssertFalse(waits(SYS_epoll_pwait, [4, 0, 0, 10]))
        XCTAssertTrue(waits(SYS_epoll_pwait2, [4, 0, 0, 0]))
        XCTAssertFalse(waits(SYS_epoll_pwait2, [4, 0, 0, 0x7fff_0000]))
        // io_uring_enter waits when it asks for completions; with a time limit it has other arguments.
        XCTAssertTrue(waits(SYS_io_uring_enter, [4, 1, 1, 1]))
        XCTAssertFalse(waits(SYS_io_uring_enter, [4, 1, 0, 0]))
        XCTAssertFalse(waits(SYS_io_uring_enter, [4, 1, 1, 1 | 8]))
        XCTAssertFalse(waits(SYS_close, [4]))
    }
}
