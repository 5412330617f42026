import CLinux
import Glibc
import XCTest

import Harness

/// How failures and figures write calls.
final class CallWordsTests: XCTestCase {
    func testNoNumberStandsForAName() {
        XCTAssertEqual(words(SYS_close, [7]), "close(7) = 0")
        XCTAssertEqual(words(SYS_close, [7], -Int(EBADF)), "close(7) = EBADF")
        XCTAssertEqual(words(SYS_shutdown, [5, 1]), "shutdown(5, SHUT_WR) = 0")
        XCTAssertEqual(words(SYS_fcntl, [5, 4, 0o4002]), "fcntl(5, F_SETFL O_NONBLOCK) = 0")
        XCTAssertEqual(
            words(SYS_recvfrom, [3, 0, 100, UInt64(MSG_PEEK | MSG_DONTWAIT)], 9),
            "recvfrom(3, MSG_DONTWAIT|MSG_PEEK) = 9")
        XCTAssertEqual(
            words(SYS_getsockopt, [6, UInt64(SOL_SOCKET), UInt64(SO_ERROR)]),
            "getsockopt(6, SO_ERROR) = 0")
        var limit = timeval(tv_sec: 0, tv_usec: 20_000)
        let bytes = withUnsafeBytes(of: &limit) { Array($0) }
        XCTAssertEqual(
            words(SYS_setsockopt, [3, UInt64(SOL_SOCKET), UInt64(SO_RCVTIMEO)], 0, asked: bytes),
            "setsockopt(3, SO_RCVTIMEO 20 ms) = 0")
        XCTAssertEqual(
            words(SYS_pselect6, [4, 1], -514, asked: [8] + [UInt8](repeating: 0, count: 23)),
            "pselect6(4; 3 in) = interrupted by a signal")
        XCTAssertEqual(SystemCall(number: 14, arguments: []).name, "rt_sigprocmask")
    }

    func testSelectIsCutAtItsFirstArgument() {
        // Bits 3 and 4 are asked to be readable, bit 6 to be writable: beyond the first argument.
        let sets = [0x18, 0, 0, 0, 0, 0, 0, 0, 0x40] + [UInt8](repeating: 0, count: 15)
        XCTAssertEqual(
            words(SYS_pselect6, [6], nil, asked: sets), "pselect6(6; 3 in, 4 in) = …")
        XCTAssertEqual(
            words(SYS_pselect6, [7], nil, asked: sets), "pselect6(7; 3 in, 4 in, 6 out) = …")
        XCTAssertEqual(words(SYS_pselect6, [0], nil), "pselect6(0) = …")
    }

    func testEpollSaysWhoIsReady() throws {
        // A shell cannot wait in epoll, so the events are made by hand: data 77 belongs to 5.
        let event = made(
            SYS_epoll_pwait, [4, 0, 8, 0], 2,
            answered: madeEvent(EPOLLIN.rawValue, 77) + madeEvent(EPOLLOUT.rawValue, 78),
            sources: [5, nil])
        XCTAssertEqual("\(event.question) = \(event.answer)", "epoll_pwait(4) = ready: 5 in, out")
    }

    func testRepetitionsAreToldOnceAndFaultsAreKept() {
        let fault = made(SYS_accept4, [3], -Int(EMFILE), isInjected: true)
        let signal = TraceEvent(
            kind: .signal, thread: 1, number: SIGTERM, arguments: [], start: 0, end: 0,
            before: SYS_pselect6)
        let spin = (1...50).flatMap { _ in
            [made(SYS_read, [5, 0, 9], -Int(EAGAIN)), made(SYS_accept4, [3], -Int(EAGAIN))]
        }
        let reads = (1...8).map { made(SYS_read, [5, 0, 9], $0) }
        XCTAssertEqual(
            LastCalls([fault, signal] + spin).text,
            "accept4(3) = EMFILE (fault), SIGTERM just before pselect6, "
                + "[read(5) = EAGAIN, accept4(3) = EAGAIN] 50 times")
        XCTAssertEqual(
            LastCalls([fault] + reads).text,
            "accept4(3) = EMFILE (fault), …, "
                + (1...8).map { "read(5) = \($0)" }.joined(separator: ", "))
        XCTAssertNil(LastCalls([]).text)
    }

    private func words(
        _ number: Int32, _ arguments: [UInt64], _ result: Int? = 0, asked: [UInt8] = []
    ) -> String {
        let event = made(number, arguments, result, asked: asked)
        return "\(event.question) = \(event.answer)"
    }
}
