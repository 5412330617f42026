// SPDX-License-Identifier: MIT

import CLinux
import Glibc
public import Harness
import Registry
import Scenes

/// Calls that fail, are interrupted, or do less than asked: placed by the tracer.
extension Echo {
    /// Clients of a traced server, each with two lines, whom a fault must not affect.
    /// - Parameter prepare: Shows the faults to the trace of a server that is idle.
    public func servesDespite(
        _ fault: String, _ prepare: (SyscallTrace) -> Void
    ) throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try start(trace: trace)
        try rest(server)
        prepare(trace)
        try run.despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...4 {
                let client = try run.connect(server)
                for _ in 1...2 {
                    try run.exchangeALine(with: client)
                    // Silent until it is idle: an old answer would now lead to a read of nothing.
                    try rest(server)
                }
                client.close()
            }
        }
    }

    /// The next accept, read and write fail with EINTR, and so do many waits.
    public func goesOnAfterAnInterruption() throws(CheckFailure) {
        let waits = SystemCall.numbers(named: model.waits)
        let isApart = waits.isDisjoint(with: SystemCall.reading)
        let fault =
            "an accept, a read and a write" + (isApart && !model.polls ? ", and many waits," : "")
            + " will be interrupted by a signal (EINTR)"
        try servesDespite(fault) { trace in
            for calls in [SystemCall.accepting, SystemCall.reading, SystemCall.writing] {
                trace.inject(.fail(EINTR), at: 1, of: calls, from: 3)
            }
            guard isApart else { return }
            // Of three waits two: so one of them comes when the wait before had something to tell.
            for nth in 1...60 where nth % 3 != 0 { trace.inject(.fail(EINTR), at: nth, of: waits) }
        }
    }

    /// Each write to a client takes three bytes at most.
    public func goesOnAfterAShortWrite() throws(CheckFailure) {
        try servesDespite("each of its writes will take three bytes at most") { trace in
            trace.inject(.shorten(to: 3), at: nil, of: [SYS_write, SYS_sendto], from: 3)
        }
    }

    /// The next read and the next accept find nothing, although both were said to be ready: readiness is
    /// a hint. See BUGS in select(2).
    public func goesOnAfterAFalseAlarm() throws(CheckFailure) {
        try servesDespite("a read and an accept will find nothing (EAGAIN) though both are ready") {
            trace in
            for calls in [SystemCall.reading, SystemCall.accepting] {
                trace.inject(.fail(EAGAIN), at: 1, of: calls, from: 3)
            }
        }
    }

    /// A read or a write of one client fails for good: that client is closed, and no other.
    public func closesAClientWhoseConnectionFails() throws(CheckFailure) {
        let kinds = [
            (SystemCall.reading, "read", [ETIMEDOUT, EHOSTUNREACH, ECONNRESET]),
            (SystemCall.writing, "write", [ETIMEDOUT, EHOSTUNREACH, ECONNRESET, EPIPE]),
        ]
        for (calls, name, errors) in kinds {
            let trace = SyscallTrace.serving
            let server = try start(trace: trace)
            // One that polls reads from everybody all the time: the fault would hit anybody.
            let others = model.polls ? [] : try bystanders(server)
            for error in errors {
                let before = try restingDescriptors(server)
                let client = try run.connect(server)
                try run.exchangeALine(with: client)
                try rest(server)
                trace.inject(.fail(error), at: 1, of: calls, from: 3)
                let fault = "its next \(name) will fail with \(errorName(error))"
                try run.despiteTheFault(fault) { () throws(CheckFailure) in
                    try client.send(run.random.line(8))
                    try requireDescriptors(
                        server, before, after: "a \(name) that failed with \(errorName(error))")
                    try requireService(server, others)
                }
            }
        }
    }

    /// A client sends an urgent byte. It is no part of the stream, and needs no answer.
    /// See MSG_OOB in send(2), and tcp(7).
    public func ignoresUrgentBytes() throws(CheckFailure) {
        let server = try start()
        let client = try run.connect(server)
        try run.exchangeALine(with: client)
        for _ in 1...2 {
            try rest(server)
            try client.sendUrgent(0x21)
            // Where the server has closed the connection, it is acknowledged no more.
            try server.wait(for: "the urgent byte to arrive") {
                client.unacknowledgedBytes == 0 || !server.hasConnection(to: client)
            }
            try rest(
                server,
                cause:
                    "Urgent data is an event that stays until it is read out of band. Do not ask "
                    + "for it: no POLLPRI, no third set.")
            try run.exchangeALine(with: client)
        }
    }

    /// No socket has a time limit, and no timer runs: a client may be silent for as long as it likes.
    public func setsNoTimeLimit() throws(CheckFailure) {
        let timers = SystemCall.numbers(named: [
            "setitimer", "alarm", "timer_create", "timerfd_create",
        ])
        let trace = SyscallTrace(calls: timers)
        let server = try start(trace: trace)
        let client = try run.connect(server)
        try run.exchangeALine(with: client)
        run.transcript.add("\(client.name) is silent")
        try rest(server)
        try requireNoLimit(server, server.listenerDescriptor(), "the listener")
        try requireNoLimit(
            server, server.descriptor(of: client), "the connection of \(client.name)")
        if let timer = trace.events.first(where: { $0.kind == .call }) {
            throw CheckFailure(
                expected: "a server without timers", found: "it has called \(timer.call.name)",
                cause: "A client may be silent for as long as it likes.")
        }
    }

    private func requireNoLimit(
        _ server: ServerProcess, _ socket: CInt, _ whose: String
    ) throws(CheckFailure) {
        for (option, name) in [(SO_RCVTIMEO, "SO_RCVTIMEO"), (SO_SNDTIMEO, "SO_SNDTIMEO")] {
            let time = try server.option(option, SOL_SOCKET, of: socket, initially: timeval())
            guard time.tv_sec != 0 || time.tv_usec != 0 else { continue }
            throw CheckFailure(
                expected: "no time limit on \(whose)",
                found: "\(name) is set to \(time.tv_sec * 1000 + time.tv_usec / 1000) ms",
                cause: "A client may be silent, or read nothing, for as long as it likes. What a "
                    + "listener has set, its connections inherit.")
        }
        let linger = try server.option(SO_LINGER, SOL_SOCKET, of: socket, initially: linger())
        let user = try server.option(
            Int32(TCP_USER_TIMEOUT), Int32(IPPROTO_TCP), of: socket, initially: CUnsignedInt(0))
        guard linger.l_onoff == 0, user == 0 else {
            throw CheckFailure(
                expected: "no time limit on \(whose)",
                found: linger.l_onoff == 0
                    ? "TCP_USER_TIMEOUT is set to \(user) ms"
                    : "SO_LINGER is set to \(linger.l_linger) s",
                cause: "What was sent before a close is delivered however long that takes.")
        }
    }
}
