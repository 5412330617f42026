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

    /// Lets two receives and a reply of a UDP server be interrupted, and requires that its sender does
    /// not notice.
    public func interruptDatagrams(
        _ server: ServerProcess, _ trace: SyscallTrace
    ) throws(CheckFailure) {
        let sender = try sender(to: server)
        let receiving = SystemCall.reading.union(SystemCall.readingMany)
        for number in [1, 3] { trace.inject(.fail(EINTR), at: number, of: receiving, from: 3) }
        let replying = SystemCall.writing.union([SYS_sendmmsg])
        trace.inject(.fail(EINTR), at: 2, of: replying, from: 3)
        let fault = "two of its receives and one of its replies will be interrupted (EINTR)"
        try despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...3 {
                let line = random.line(8)
                try sender.send(line)
                try sender.receive(line)
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
