// SPDX-License-Identifier: MIT

import CLinux
import Glibc
public import Harness
import Registry
import Scenes

/// What accept(2) may say: one policy for all TCP servers. `visit` lets a client come, be served and leave.
extension CheckRun {
    /// Lets the next accepts fail, one after the other, each with an error that concerns one client
    /// only, and requires that the server goes on accepting. See "Error handling" in accept(2).
    public func loseClients(
        _ trace: SyscallTrace, visit: () throws(CheckFailure) -> Void
    ) throws(CheckFailure) {
        let errors = [
            ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
            EOPNOTSUPP, ENETUNREACH, EPERM,
        ]
        trace.failAccepts(errors)
        let fault =
            "each of the next \(errors.count) accepts loses its client: "
            + errors.map(errorName).joined(separator: ", ")
        try despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...2 { try visit() }
        }
    }

    /// Lets the next accepts find no room, for each reason that there is. There is no client whose
    /// leaving would make some, so a server has to try again by itself, and to pause in between.
    /// - Parameter pauses: Whether it must; a server that polls does not.
    public func leaveNoRoom(
        _ trace: SyscallTrace, pauses: Bool = true, visit: () throws(CheckFailure) -> Void
    ) throws(CheckFailure) {
        let errors = [EMFILE, ENFILE, ENOBUFS, ENOMEM]
        trace.failAccepts(errors)
        let fault =
            "the next \(errors.count) accepts find no room: "
            + errors.map(errorName).joined(separator: ", ")
        try despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...2 { try visit() }
        }
        if pauses { try requirePauses(trace) }
    }

    /// Requires that the server has waited between accepts that found no room. Once it need not: a
    /// client that comes just then is a reason to look again.
    private func requirePauses(_ trace: SyscallTrace) throws(CheckFailure) {
        let calls = trace.events.filter { $0.kind == .call }
        let refused = calls.indices.filter {
            calls[$0].isInjected && SystemCall.accepting.contains(calls[$0].number)
        }
        let atOnce = zip(refused, refused.dropFirst()).filter { first, second in
            !calls[first...second].contains { $0.hasWaited && $0.thread == calls[first].thread }
        }
        guard atOnce.count > 1 else { return }
        throw CheckFailure(
            expected: "a pause after an accept that has found no room",
            found: "the next accept followed at once, \(atOnce.count) times: it would spin until "
                + "there is room")
    }

    /// Breaks the listener: from now on each accept fails with EINVAL. The server can do nothing but
    /// say so and end.
    public func breakTheListener(of server: ServerProcess) throws(CheckFailure) {
        let listener = try server.socketDescriptor(SocketTable.listener(port: server.port))
        try server.withCopy(of: listener) { copy in _ = shutdown(copy, Int32(SHUT_RDWR)) }
        transcript.add("the listener is shut down: from now on accept fails with EINVAL")
        let time = server.proc.cpuNanoseconds
        let expected = "the server to say `Invalid argument` and to end with status 1"
        do {
            try server.wait(for: expected) {
                server.exitStatus != nil || server.proc.cpuNanoseconds - time > 300_000_000
            }
        } catch  where server.exitStatus == nil {
            throw error
        } catch {}
        guard let status = server.exitStatus else {
            throw CheckFailure(
                expected: expected,
                found: "it asks again and again: 300 ms of processor time so far")
        }
        let words = server.lastWords.joined(separator: " / ")
        guard status == .exited(1), words.contains("Invalid argument") else {
            throw CheckFailure(
                expected: expected,
                found: "the server \(status). Its last words: \(words.isEmpty ? "none" : words)")
        }
    }
}

/// The same for servers that echo lines.
extension Echo {
    /// `loseClients` of a new server.
    public func losesClients() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try start(trace: trace)
        try run.loseClients(trace) { () throws(CheckFailure) in try run.visit(server) }
    }

    /// `leaveNoRoom` of a new server.
    public func goesOnWithoutRoom() throws(CheckFailure) {
        // A pause may also be a wait for another thread, with a time limit.
        let trace = SyscallTrace(
            calls: SyscallTrace.servingCalls.union([SYS_futex, SYS_epoll_pwait2]))
        let server = try start(trace: trace)
        try run.leaveNoRoom(trace, pauses: !model.polls) { () throws(CheckFailure) in
            try run.visit(server)
        }
    }

    /// `breakTheListener` of a new server, which has served a client before.
    public func endsWhenItsListenerIsBroken() throws(CheckFailure) {
        let server = try start()
        try run.visit(server)
        try run.breakTheListener(of: server)
    }

    /// `refuseAnEntry` of a new server.
    public func closesAClientThatTheListHasNoRoomFor() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try start(trace: trace)
        let client = try run.connect(server)
        try run.refuseAnEntry(server, trace) { () throws(CheckFailure) in
            try run.exchangeALine(with: client)
        }
    }
}

extension CheckRun {
    /// Lets the entry of the next client into the interest list fail as if the kernel had no room for
    /// it. That client is closed, and the others are served. See ENOSPC in epoll_ctl(2).
    public func refuseAnEntry(
        _ server: ServerProcess, _ trace: SyscallTrace,
        speak: () throws(CheckFailure) -> Void
    ) throws(CheckFailure) {
        try speak()
        try server.waitUntilParked()
        trace.inject(.fail(ENOSPC), at: 1, of: [SYS_epoll_ctl])
        let fault = "the kernel has no room for the next entry of the interest list (ENOSPC)"
        try despiteTheFault(fault) { () throws(CheckFailure) in
            let refused = try connect(server)
            try refused.receiveEnd()
            try speak()
        }
    }
}

extension SyscallTrace {
    /// Lets the next accepts fail, each with the next of these errors.
    fileprivate func failAccepts(_ errors: [CInt]) {
        for (index, error) in errors.enumerated() {
            inject(.fail(error), at: index + 1, of: SystemCall.accepting)
        }
    }
}
