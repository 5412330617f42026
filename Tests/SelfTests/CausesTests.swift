import CLinux
import Checks
import Glibc
import Harness
import XCTest

/// The rules that tell a likely cause: what each says when its observation fits, and nothing otherwise.
final class CausesTests: XCTestCase {
    private let line = Array("abcdefgh\n".utf8)

    func testEveryRuleHasItsStory() {
        var told: Set<String> = []
        for (name, evidence, text) in stories {
            let rule = CauseRule.all.first { $0.name == name }
            XCTAssertEqual(rule?.cause(evidence)?.text, text, name)
            XCTAssertEqual(evidence.likelyCause?.text, text, "another rule comes first: \(name)")
            told.insert(name)
        }
        XCTAssertEqual(CauseRule.all.map(\.name).filter { !told.contains($0) }, [])
    }

    func testNoCauseIsBetterThanAFalseOne() {
        let served = [accept(5), read(5, 9), write(5, of: 9, 9), read(5, 0), close(5), accept(5)]
        // The number 5 comes again: closing it then is no second close.
        XCTAssertNil(evidence(served + [read(5, 0), close(5), accept(nil)]).likelyCause)
        // A fault that was survived explains nothing.
        let survived = [accept(5), read(5, -Int(EINTR), isInjected: true), read(5, 9)]
        XCTAssertNil(evidence(survived + [write(5, of: 9, 9)]).likelyCause)
        // Chapter 2 asks again and again, and is to.
        let polls = (1...50).map { _ in accept(-Int(EAGAIN)) }
        XCTAssertNil(
            Evidence(failure(), facts(polls), asksAgainAndAgain: true).likelyCause)
        XCTAssertNotNil(Evidence(failure(), facts(polls)).likelyCause)
        // An errno that no call has left.
        var stale = facts([accept(5), read(5, 9)])
        (stale.end, stale.words) = (.exited(1), ["server: read: Bad address (errno 14)"])
        XCTAssertNil(Evidence(failure(), stale).likelyCause)
        // Sockets seen after the check had closed its clients.
        var later = facts([])
        later.isAfterwards = true
        later.sockets = [SocketFacts(descriptor: 3, state: .listens(waiting: 4))]
        XCTAssertNil(Evidence(failure(exchange(.waiting)), later).likelyCause)
    }

    /// From the first byte on nothing fits: there is nothing before it that could have come twice.
    func testBytesThatAreOthersFromTheFirstOn() {
        let other = Exchange(
            "client 1", isDatagram: false, expected: line, received: Array("0123456789".utf8),
            .changed)
        XCTAssertNil(Evidence(failure(other), facts([])).likelyCause)
    }

    private var stories: [(String, Evidence, String)] { ends + closes + calls + waits + bytes }

    private var ends: [(String, Evidence, String)] {
        [
            (
                "ended by a signal",
                evidence([accept(5), write(5, of: 9, nil)], end: .signalled(SIGPIPE)),
                "It wrote to a client that was gone. The kernel then sends SIGPIPE, which ends a "
                    + "process that has not asked otherwise: signal(SIGPIPE, SIG_IGN), and expect "
                    + "EPIPE from write. Its last call was write(5) = …."
            ),
            (
                "ended after a call that failed",
                evidence(
                    [accept(-Int(EMFILE))], end: .exited(1),
                    words: ["server: accept: Too many open files (errno 24)"]),
                "accept(3) failed with EMFILE (Too many open files), and that ended the server. There "
                    + "is no room for another client just now: serve those that are there, and "
                    + "accept again later."
            ),
            (
                "ended after a read that gave 0",
                evidence([accept(5), read(5, 9), read(5, 0)], end: .exited(1)),
                "read(5) gave 0, the end of one client's connection, and the server ended: serve "
                    + "returned or threw. Close that connection, and accept the next."
            ),
            (
                "ended without a reason", evidence([accept(5), close(5)], end: .exited(0)),
                "serve returned. A server serves forever: look for a return or a break. Its last "
                    + "call was close(5) = 0."
            ),
        ]
    }

    private var closes: [(String, Evidence, String)] {
        let twice = [
            accept(7), read(7, 0), close(7), accept(7), close(7),
            made(SYS_read, [7], -Int(EBADF)),
        ]
        return [
            (
                "a descriptor closed twice, or used after its close", evidence(twice),
                "close(7) for the second time: since its first close the number 7 had become the "
                    + "connection of client 2. Close a connection in one place only, and forget its "
                    + "number there."
            ),
            (
                "a connection that was closed too early",
                evidence([accept(5), read(5, 9), write(5, of: 9, 9), close(5)], exchange(.ended)),
                "close(5) came after read(5) = 9: no read had given 0, so the client was still "
                    + "there. A read brings what has come so far, not all that the client will send."
            ),
            (
                "sockets that nobody closes",
                evidence(
                    [], sockets: (4...9).map { SocketFacts(descriptor: $0, state: .clientHasReset) }
                ),
                "6 sockets of clients that have reset their connection are still open: after read has "
                    + "failed with ECONNRESET the connection is to be closed too."
            ),
        ]
    }

    private var calls: [(String, Evidence, String)] {
        [
            (
                "a call that failed and was not made again",
                evidence(
                    [accept(5), read(5, -Int(EINTR), isInjected: true), close(5), accept(nil)],
                    exchange(.ended)),
                "read(5) failed with EINTR, and then came close(5). A signal came: EINTR is nobody's "
                    + "fault, so make the call again."
            ),
            (
                "a write that took a part",
                evidence(
                    [accept(5), read(5, 9), write(5, of: 9, 3), read(5, nil)], exchange(.waiting, 3)
                ),
                "write(5) took 3 of 9 bytes, and the other 6 were not written afterwards. write says "
                    + "how much it has taken: go on with the rest."
            ),
            (
                "a call that repeats", evidence([accept(5)] + (1...50).map { _ in read(5, 0) }),
                "read(5) = 0 came 50 times in a row: 0 is the client's end, and comes again at each "
                    + "read. Close the connection."
            ),
        ]
    }

    private func exchange(_ outcome: Exchange.Outcome, _ count: Int = 0) -> Exchange {
        Exchange(
            "client 1", isDatagram: false, expected: line, received: Array(line.prefix(count)),
            outcome)
    }

    private func failure(
        _ exchange: Exchange? = nil, expected: String = "9 bytes back"
    ) -> CheckFailure {
        var failure = CheckFailure(expected: expected, found: "nothing")
        failure.exchange = exchange
        return failure
    }

    private func facts(_ calls: [TraceEvent]) -> ServerFacts {
        var facts = ServerFacts()
        facts.history = calls
        facts.clients = ["client 1", "client 2"]
        return facts
    }

    private func evidence(
        _ calls: [TraceEvent], _ exchange: Exchange? = nil, end: ExitStatus? = nil,
        words: [String] = [], expected: String = "9 bytes back",
        threads: [ServerFacts.Thread] = [], sockets: [SocketFacts] = []
    ) -> Evidence {
        var facts = facts(calls)
        (facts.end, facts.words, facts.threads) = (end, words, threads)
        facts.sockets = sockets
        return Evidence(failure(exchange, expected: expected), facts)
    }

    // MARK: What it waits in

    private var waits: [(String, Evidence, String)] {
        var own = SocketFacts(descriptor: 5, state: .open)
        (own.client, own.unread, own.options) = ("client 1", 1, ["SO_RCVLOWAT": 4])
        var unread = own
        unread.options = [:]
        let listener = SocketFacts(descriptor: 3, state: .listens(waiting: 1))
        return [
            (
                "an option of a socket",
                evidence([], exchange(.waiting), sockets: [listener, own]),
                "SO_RCVLOWAT is 4: a read waits until so many bytes are there, and only 1 of client 1 "
                    + "have come."
            ),
            (
                "a thread that waits for another thread",
                evidence(
                    [], exchange(.waiting),
                    threads: [
                        blocked(1, in: SYS_futex, waitsFor: .end(of: 2)), blocked(2, in: SYS_read),
                    ],
                    sockets: [listener]),
                "The thread that should accept waits for the end of another one (pthread_join), and "
                    + "that one is in read(6). Detach a thread, or join it when it has ended."
            ),
            (
                "two threads on one descriptor",
                evidence(
                    [], exchange(.waiting),
                    threads: [blocked(1, in: SYS_read), blocked(2, in: SYS_read)], sockets: [unread]
                ),
                "2 threads wait in read(6), and none reads descriptor 5, the connection of client 1: "
                    + "each thread needs its own number, and not a pointer to a variable that changes."
            ),
            (
                "a client that nobody accepts",
                evidence(
                    [], exchange(.waiting), threads: [blocked(1, in: SYS_read)], sockets: [listener]
                ),
                "Its one thread is in read(6), and accepts nobody meanwhile: 1 client waits in the "
                    + "backlog."
            ),
            (
                "a lock that nobody known holds",
                evidence(
                    [], exchange(.waiting),
                    threads: [
                        blocked(1, in: SYS_accept), blocked(2, in: SYS_futex, waitsFor: .somebody),
                    ]),
                "1 thread waits in futex, for a lock or for another thread. A lock must be released on "
                    + "every way out, and before any call that may wait."
            ),
            (
                "bytes that nobody reads",
                evidence(
                    [], exchange(.waiting), threads: [blocked(1, in: SYS_epoll_pwait)],
                    sockets: [unread]),
                "1 byte of client 1 lies unread on descriptor 5, and its one thread is in "
                    + "epoll_pwait(6)."
            ),
            (
                "bytes that are kept back",
                evidence([accept(5), read(5, 1), read(5, nil)], exchange(.waiting)),
                "It has read 1 byte of client 1, written 0, and waits in read(5) for more. Send back "
                    + "what has come: more need not come before the client has its answer."
            ),
            (
                "another call than the model's",
                evidence(
                    [], expected: "a thread waiting in read",
                    threads: [blocked(1, in: SYS_clock_nanosleep)]),
                "It sleeps (clock_nanosleep) between two looks. What comes meanwhile has to wait: let "
                    + "the call wait that brings it."
            ),
        ]
    }

    private func blocked(
        _ id: Int32, in number: Int32, waitsFor: ServerFacts.Awaited? = nil
    ) -> ServerFacts.Thread {
        ServerFacts.Thread(
            id: id, call: SystemCall(number: number, arguments: [6, 0, 0, 0, 0, 0]),
            waitsFor: waitsFor)
    }

    // MARK: What came

    private var bytes: [(String, Evidence, String)] {
        let other = Array("ijklmnop\n".utf8)
        var stolen = Exchange(
            "client 1", isDatagram: false, expected: line, received: other, .changed)
        stolen.sent = [Exchange.Sent("client 1", line), Exchange.Sent("client 2", other)]
        let lost = Exchange("sender 1", isDatagram: true, expected: line, received: [], .waiting)
        let received = made(SYS_recvfrom, [3, 0, 65_507, 0, 0], 9)
        let refused = made(SYS_sendto, [3, 0, 9], -Int(EDESTADDRREQ))
        return [
            (
                "other bytes than were sent", evidence([], stolen),
                "These bytes are not those of client 1: client 2 sent them. Two clients share a buffer, "
                    + "or a number that was given anew."
            ),
            (
                "a datagram that was not answered",
                evidence([received, refused, made(SYS_recvfrom, [3], nil)], lost),
                "recvfrom(3) was not asked who had sent the datagram, and so sendto(3) failed with "
                    + "EDESTADDRREQ: it has nowhere to go. recvfrom fills in the sender's address."
            ),
        ]
    }
}
