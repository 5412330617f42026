// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import Harness

/// Descriptors that are closed twice, used after their close, closed too early or never.
extension Evidence {
    var usedAfterClose: Cause? {
        guard
            let used = calls.lastIndex(where: {
                $0.reason == EBADF && !$0.isInjected && $0.call.row?.takesDescriptor == true
            })
        else { return nil }
        let event = calls[used]
        let descriptor = event.call.descriptor
        guard let closed = lastClose(of: descriptor, before: used) else { return nil }
        // Was that close the first one of its connection, or the second one of an earlier one?
        if let given = lastAccept(of: descriptor, before: closed),
            let first = lastClose(of: descriptor, before: given),
            !hasEnded(descriptor, given, closed)
        {
            return Cause("closed twice", secondClose(descriptor, first, closed))
        }
        if event.isClose {
            return Cause("closed twice", secondClose(descriptor, closed, used))
        }
        let who = client(of: descriptor, before: closed).map { ", the connection of \($0)," } ?? ""
        return Cause(
            "used after close",
            "\(event.words) failed with EBADF: descriptor \(descriptor)\(who) had been closed before"
                + (event.thread == calls[closed].thread
                    ? "." : " by another thread. All threads share one table of descriptors."))
    }

    private func secondClose(_ descriptor: CInt, _ first: Int, _ second: Int) -> String {
        let given = lastAccept(of: descriptor, before: second).flatMap { $0 > first ? $0 : nil }
        let owner = given.flatMap { client(of: descriptor, before: $0 + 1) }
        let since =
            given == nil
            ? "since its first close the number \(descriptor) has belonged to nobody (EBADF)"
            : "since its first close the number \(descriptor) had become the connection of "
                + (owner ?? "another client")
        return
            "close(\(descriptor)) for the second time: \(since). Close a connection in one place "
            + "only, and forget its number there."
    }

    private func lastClose(of descriptor: CInt, before index: Int) -> Int? {
        calls[..<index].lastIndex {
            $0.isClose && $0.call.descriptor == descriptor && $0.hasSucceeded
        }
    }

    private func lastAccept(of descriptor: CInt, before index: Int) -> Int? {
        calls[..<index].lastIndex { $0.isAccept && $0.result == Int(descriptor) }
    }

    /// Whether a call on the descriptor has said, between two calls, that its client is gone.
    private func hasEnded(_ descriptor: CInt, _ start: Int, _ end: Int) -> Bool {
        calls[start..<end].contains {
            $0.call.isOn(descriptor)
                && ($0.isReading && $0.result == 0
                    || ($0.reason.map { $0 != EAGAIN && $0 != EINTR } ?? false))
        }
    }

    var closedEarly: Cause? {
        guard exchange?.outcome == .ended || exchange?.outcome == .reset else { return nil }
        let own = clientsCalls
        guard let close = own.last, close.isClose else { return nil }
        guard let last = own.last(where: \.isReading) else { return closedUnread(close) }
        let (taken, given) = (bytes(own, \.isReading), bytes(own, \.isWriting))
        if last.result == 0, given < taken {
            return Cause(
                "unsent at the end",
                "\(close.words) came right after \(last.words) = 0, when "
                    + "\(counted(taken - given, "byte")) of what it had read were not yet written. "
                    + "The end says that no more comes: what was read before is still to be sent.")
        }
        if let result = last.result, result > 0 {
            return Cause(
                "closed before the end",
                "\(close.words) came after \(last.words) = \(result): no read had given 0, so the "
                    + "client was still there. A read brings what has come so far, not all that "
                    + "the client will send.")
        }
        return nil
    }

    /// A connection that was closed before a byte of it was read, by the thread that had accepted it.
    private func closedUnread(_ close: TraceEvent) -> Cause? {
        guard let index = clientsAccept, calls[index].thread == close.thread else { return nil }
        let isHandedOver = calls[index...].contains { $0.call.row?.kind == .starting }
        return Cause(
            "closed unread",
            "\(close.words) came before any read of it"
                + (isHandedOver
                    ? ", from the thread that had accepted it. All threads share one table of "
                        + "descriptors: the thread that was started for it has lost it."
                    : ": whoever accepts a client and closes it turns it away."))
    }

    private func bytes(_ calls: [TraceEvent], _ isMeant: (TraceEvent) -> Bool) -> Int {
        calls.filter(isMeant).reduce(0) { $0 + max($1.result ?? 0, 0) }
    }

    var leftOpen: Cause? {
        guard exchange == nil else { return nil }
        let finished = facts.sockets.filter { $0.state == .clientHasFinished }.count
        let reset = facts.sockets.filter { $0.state == .clientHasReset }.count
        guard finished + reset > 4 else { return nil }
        let isShutDown = calls.contains { $0.number == SYS_shutdown }
        let who =
            switch (finished, reset) {
            case (0, _): "\(counted(reset, "socket")) of clients that have reset their connection"
            case (_, 0): "\(counted(finished, "socket")) of clients that have finished"
            default:
                "\(counted(finished, "socket")) of clients that have finished, and \(reset) of "
                    + "clients that have reset their connection,"
            }
        let verb = finished + reset == 1 ? "is" : "are"
        return Cause(
            "left open",
            "\(who) \(verb) still open: "
                + (isShutDown
                    ? "shutdown ends a connection, and only close gives the descriptor back."
                    : finished == 0
                        ? "after read has failed with ECONNRESET the connection is to be closed too."
                        : "after read gives 0, close the connection."))
    }
}
