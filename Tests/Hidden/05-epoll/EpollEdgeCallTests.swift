import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// The calls that it makes, and what it does when one of them fails.
extension EpollEdgeHiddenTests {
    func testWaitsInEpollWait() throws { try echo { try $0.waitsInTheCallOfItsModel() } }

    func testRegistersEachSocketOnce() throws {
        try check { run in
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
}
