// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What the suites of all TCP echo servers do to a traced server.
extension CheckRun {
    /// Two clients connect, one after the other, and each sends its line late: for all of it the server
    /// has to wait.
    /// - Returns: The moment at which it was ready.
    public func serveTwoLateClients(_ trace: SyscallTrace) throws(CheckFailure) -> UInt64 {
        let server = try startServer(trace: trace)
        try server.waitUntilParked()
        let start = Deadline.nanoseconds()
        for _ in 1...2 {
            let client = try connect(server)
            try server.waitUntilParked()
            try exchangeALine(with: client)
            client.close()
            try server.waitUntilParked()
        }
        return start
    }

    /// Lets the next accept, the next read and the next write of a client's fail with EINTR, and
    /// requires that nobody notices.
    public func interruptEachKindOfCall() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        try server.waitUntilParked()
        for calls in [SystemCall.accepting, SystemCall.reading, SystemCall.writing] {
            trace.inject(.fail(EINTR), at: 1, of: calls, from: 3)
        }
        let fault = "an accept, a read and a write will be interrupted by a signal (EINTR)"
        try despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...3 {
                let client = try connect(server)
                try exchangeALine(with: client)
                client.close()
            }
        }
    }

    /// Lets the next accept fail as if its client had gone before it was accepted, and requires that the
    /// server goes on accepting. See ECONNABORTED in accept(2).
    public func abortAConnection() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        try server.waitUntilParked()
        trace.inject(.fail(ECONNABORTED), at: 1, of: SystemCall.accepting)
        let fault = "an accept will say that its client is gone already (ECONNABORTED)"
        try despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...2 {
                let client = try connect(server)
                try exchangeALine(with: client)
                client.close()
            }
        }
    }

    /// Lets the next read and the next accept find nothing although both were said to be ready, and
    /// requires that nobody notices. Readiness is a hint: see BUGS in select(2).
    public func raiseAFalseAlarm() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        let client = try connect(server)
        try exchangeALine(with: client)
        try server.waitUntilParked()
        trace.inject(.fail(EAGAIN), at: 1, of: SystemCall.reading, from: 3)
        trace.inject(.fail(EAGAIN), at: 1, of: SystemCall.accepting)
        let fault =
            "a read and an accept will find nothing (EAGAIN), though both were said to be ready"
        try despiteTheFault(fault) { () throws(CheckFailure) in
            try exchangeALine(with: client)
            try exchangeALine(with: connect(server))
        }
    }

    /// Lets each write to a client take three bytes at most, and requires that all bytes come.
    public func shortenEveryWrite() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        try server.waitUntilParked()
        trace.inject(.shorten(to: 3), at: nil, of: [SYS_write, SYS_sendto], from: 3)
        try despiteTheFault("each of its writes will take three bytes at most") {
            () throws(CheckFailure) in
            try exchangeALine(with: connect(server))
        }
    }
}
