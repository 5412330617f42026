import Checks
import CLinux
import Glibc
import Harness

/// The calls that it makes, and what it does when one of them fails.
extension EpollEdgeHiddenTests {
    func testWaitsInEpollWait() throws {
        try check { run throws(CheckFailure) in
            let server = try run.startServer()
            try requireEpollWait(server)
            let client = try run.connect(server)
            try requireEpollWait(server)
            try run.exchangeALine(with: client)
            try requireEpollWait(server)
            client.close()
            try requireEpollWait(server)
        }
    }

    func testRegistersEachSocketOnce() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let clients = try run.connect(server, count: 5)
            for _ in 1...5 { for client in clients { try run.exchangeALine(with: client) } }
            for client in clients { client.close() }
            try server.waitUntilParked()
            _ = try server.interestList()
            let calls = trace.calls(SYS_epoll_ctl).map { CInt(truncatingIfNeeded: $0.arguments[1]) }
            let changed = calls.filter { $0 == EPOLL_CTL_MOD }.count
            let added = calls.filter { $0 == EPOLL_CTL_ADD }.count
            guard changed == 0 else {
                throw CheckFailure(
                    expected: "no EPOLL_CTL_MOD: a registration for edges is made once",
                    found: "\(counted(changed, "time")) while 5 clients sent 5 lines each",
                    cause: "EPOLL_CTL_MOD makes epoll tell again of what it has told already. That "
                        + "hides what was forgotten, at the price of a call for each event.")
            }
            guard added <= 6, calls.count <= 11 else {
                throw CheckFailure(
                    expected: "6 descriptors added once, and each removed at most once",
                    found: "\(calls.count) calls of epoll_ctl, \(added) of them with EPOLL_CTL_ADD")
            }
        }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let start = try run.serveTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients", requests: 2, bytes: 18)
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run throws(CheckFailure) in
            try run.interruptEachKindOfCall()
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            try server.waitUntilParked()
            trace.inject(.fail(EINTR), at: 1, of: SystemCall.waitingForEvents)
            trace.inject(.fail(EINTR), at: 3, of: SystemCall.waitingForEvents)
            let fault = "two calls of epoll_wait will be interrupted by a signal (EINTR)"
            try run.despiteTheFault(fault) { () throws(CheckFailure) in
                let client = try run.connect(server)
                for _ in 1...4 { try run.exchangeALine(with: client) }
            }
        }
    }

    func testGoesOnAfterAnAbortedConnection() throws {
        try check { run throws(CheckFailure) in try run.loseClients() }
    }

    func testGoesOnWithoutRoom() throws {
        try check { run throws(CheckFailure) in try run.leaveNoRoom() }
    }

    func testEndsWhenItsListenerIsBroken() throws {
        try check { run throws(CheckFailure) in try run.breakTheListener() }
    }

    func testClosesAClientThatTheListHasNoRoomFor() throws {
        try check { run throws(CheckFailure) in
            let trace = SyscallTrace.serving
            let server = try run.startServer(trace: trace)
            let client = try run.connect(server)
            try run.refuseAnEntry(server, trace) { () throws(CheckFailure) in
                try run.exchangeALine(with: client)
            }
        }
    }

    func testGoesOnAfterAShortWrite() throws {
        try check { run throws(CheckFailure) in try run.shortenEveryWrite() }
    }

    func requireEpollWait(_ server: ServerProcess) throws(CheckFailure) {
        let calls = try server.requireParked(
            in: SystemCall.waitingForEvents, words: "epoll_wait",
            cause:
                "Only epoll_wait may wait. Any other call would keep all clients waiting for one: "
                + "no descriptor may be one that blocks.")
        guard calls.allSatisfy(\.waitsForever) else {
            throw CheckFailure(
                expected: "epoll_wait without a time limit (-1)",
                found: "one of \(Int32(truncatingIfNeeded: calls[0].arguments[3])) ms",
                cause:
                    "There is nothing to be done before the next edge: a time limit only wakes the "
                    + "server for nothing.")
        }
    }
}
