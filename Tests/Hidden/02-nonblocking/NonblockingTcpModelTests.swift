import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// What makes it a nonblocking server: its sockets, its calls, and what it does when one fails.
extension NonblockingTcpHiddenTests {
    func testMakesEverySocketNonblocking() throws {
        try check { run in
            let server = try run.startServer()
            let clients = try run.connect(server, count: 10)
            for client in clients { try run.exchangeALine(with: client) }
            let listener = try server.listenerDescriptor()
            let sockets = server.proc.descriptors().filter { $0.value.hasPrefix("socket:") }
            for socket in sockets.keys.sorted() {
                guard let flags = server.proc.flags(of: socket) else { continue }
                guard flags & O_NONBLOCK == 0 else { continue }
                let octal = String(flags, radix: 8)
                throw CheckFailure(
                    expected: "O_NONBLOCK, octal 4000, in the flags of each socket",
                    found: socket == listener
                        ? "flags \(octal) of the listener, descriptor \(socket)"
                        : "flags \(octal) of a client's connection, descriptor \(socket)",
                    cause: socket == listener
                        ? "accept waits on such a listener: F_SETFL sets the flag, not F_SETFD."
                        : "A connection does not inherit the flag from its listener: accept4 with "
                            + "SOCK_NONBLOCK, or fcntl after accept.")
            }
        }
    }

    func testNeverRests() throws {
        try check { run in
            let server = try run.startServer()
            try server.requireNoRest("while nobody is connected")
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try server.requireNoRest("while its client is silent")
            try run.exchangeALine(with: client)
        }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run in
            let trace = SyscallTrace.serving
            let start = try run.pollTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients", requests: 2, bytes: 18)
            try run.requireNoWait(trace, since: start)
        }
    }

    func testKeepsWhatIsNotTaken() throws {
        try echo { echo in
            let fault = "several of its writes will find no room in the socket (EAGAIN)"
            try echo.servesDespite(fault) { trace in
                for number in [1, 2, 4, 7] {
                    trace.inject(.fail(EAGAIN), at: number, of: SystemCall.writing, from: 3)
                }
            }
        }
    }
}
