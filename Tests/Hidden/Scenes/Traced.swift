// SPDX-License-Identifier: MIT

import CLinux
public import Checks
import Glibc
public import Harness
import Registry
import Scenes

extension ExerciseChecks {
    /// Requires of a TCP echo server that its calls are those of its model, while it serves two clients.
    public final func usesTheCallsOfTheModel(
        _ method: String = #function, file: StaticString = #filePath, line: UInt = #line
    ) throws {
        try echo(method, file: file, line: line) { echo in
            let trace = SyscallTrace.serving
            let start = try echo.serveTwoLateClients(trace)
            try requireModel(trace, since: start, doing: "two clients", requests: 2, bytes: 18)
        }
    }
}

extension Echo {
    /// Two clients connect, one after the other, and each sends its line late: for all of it the server
    /// has to wait.
    /// - Returns: The moment at which it was ready.
    public func serveTwoLateClients(_ trace: SyscallTrace) throws(CheckFailure) -> UInt64 {
        let server = try start(trace: trace)
        try rest(server)
        let start = Deadline.nanoseconds()
        for _ in 1...2 {
            let client = try run.connect(server)
            try rest(server)
            try run.exchangeALine(with: client)
            client.close()
            try rest(server)
        }
        return start
    }
}

extension SyscallTrace {
    /// Waits until the server stands at the call of `hold`, or until it is idle without having come there.
    /// - Returns: Whether it stands there.
    public func awaitHold(_ server: ServerProcess) throws(CheckFailure) -> Bool {
        var idleness = Idleness()
        try server.wait(for: "the server to come to its next call") {
            self.isHolding || idleness.continues(in: server)
        }
        return isHolding
    }
}
