// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import Harness

/// What the bytes say that came instead of those that were sent, or the datagrams that did not come.
extension Evidence {
    var changedBytes: Cause? {
        guard let exchange, exchange.outcome == .changed else {
            let replaced = "\\xef\\xbf\\xbd"
            let isReplaced =
                failure.found.contains(replaced) && !failure.expected.contains(replaced)
            return isReplaced ? throughAString([0xef, 0xbf, 0xbd], at: nil) : nil
        }
        return exchange.isDatagram ? changedDatagram(exchange) : changedStream(exchange)
    }

    private func changedStream(_ exchange: Exchange) -> Cause? {
        let common = zip(exchange.expected, exchange.received).prefix { $0 == $1 }.count
        let rest = Array(exchange.received.dropFirst(common))
        let wanted = Array(exchange.expected.dropFirst(common))
        if let cause = throughAString(rest, at: common) { return cause }
        if rest.count > 3, rest.allSatisfy({ $0 == 0 }), wanted.first != 0 {
            return Cause(
                "the whole buffer",
                "From byte \(common) on there are zeros that nobody sent: the buffer beyond what "
                    + "read reported. Write as many bytes as read gave, and not the whole buffer.")
        }
        if let other = owner(of: rest, in: exchange) {
            return Cause(
                "another client's bytes",
                "These bytes are not those of \(exchange.client): \(other) sent them. Two clients "
                    + "share a buffer, or a number that was given anew.")
        }
        let sample = rest.prefix(16)
        guard sample.count > 7 else { return nil }
        if let gap = (1...65_536).first(where: { wanted.dropFirst($0).starts(with: sample) }) {
            return Cause(
                "bytes left out",
                "\(counted(gap, "byte")) are missing at byte \(common); what follows them has come. "
                    + "write says how much it has taken: go on after just that much.")
        }
        guard common > 0 else { return nil }
        let back = (1...min(common, 65_536)).first {
            exchange.expected.dropFirst(common - $0).starts(with: sample)
        }
        guard let back else { return nil }
        return Cause(
            "bytes sent twice",
            "From byte \(common) on the last \(counted(back, "byte")) come a second time. write says "
                + "how much it has taken: go on after just that much.")
    }

    private func throughAString(_ rest: [UInt8], at place: Int?) -> Cause? {
        guard rest.starts(with: [0xef, 0xbf, 0xbd]) else { return nil }
        return Cause(
            "through a String",
            "\(place.map { "At byte \($0)" } ?? "Among them") stands U+FFFD (ef bf bd), which replaces bytes that are not UTF-8: they "
                + "went through a String. Keep them as [UInt8].")
    }

    /// The other client that has sent these bytes.
    private func owner(of bytes: [UInt8], in exchange: Exchange) -> String? {
        let sample = Array(bytes.prefix(8))
        guard sample.count > 5 else { return nil }
        return exchange.sent.last {
            $0.client != exchange.client && contains($0.bytes.prefix(1 << 16), sample)
        }?.client
    }

    private func contains(_ bytes: ArraySlice<UInt8>, _ sample: [UInt8]) -> Bool {
        var rest = bytes
        while let start = rest.firstIndex(of: sample[0]) {
            if rest[start...].starts(with: sample) { return true }
            rest = rest[(start + 1)...]
        }
        return false
    }

    // MARK: Datagrams

    private func changedDatagram(_ exchange: Exchange) -> Cause? {
        let (expected, received) = (exchange.expected, exchange.received)
        let common = zip(expected, received).prefix { $0 == $1 }.count
        if let cause = throughAString(Array(received.dropFirst(common)), at: common) {
            return cause
        }
        if common == received.count { return cutDatagram(expected, received) }
        if common == expected.count { return longDatagram(exchange) }
        guard let origin = exchange.sent.first(where: { $0.bytes == received }) else { return nil }
        if origin.client != exchange.client {
            return Cause(
                "another sender's datagram",
                "\(exchange.client) got the datagram that \(origin.client) had sent. Reply to the "
                    + "address that came with it, and to nobody else.")
        }
        return Cause(
            "another order",
            "\(exchange.client) got another one of its own datagrams first: the replies leave in "
                + "another order than the datagrams came.")
    }

    private func cutDatagram(_ expected: [UInt8], _ received: [UInt8]) -> Cause? {
        if expected[received.count] == 0, received.count & (received.count - 1) != 0,
            !calls.contains(where: { $0.isReading && $0.asks == received.count })
        {
            return Cause(
                "cut at a zero byte",
                "It was cut before the first byte that is 0, as a C string ends there. A datagram is "
                    + "as long as recvfrom says.")
        }
        return Cause(
            "cut at the buffer's end",
            "A datagram that is longer than the buffer is cut, and the rest is lost: this one was cut "
                + "at \(counted(received.count, "byte")).")
    }

    private func longDatagram(_ exchange: Exchange) -> Cause? {
        let (expected, received) = (exchange.expected, exchange.received)
        let rest = received.dropFirst(expected.count)
        let earlier = exchange.sent.contains {
            $0.bytes.count >= received.count
                && $0.bytes.dropFirst(expected.count).starts(with: rest)
        }
        let what =
            earlier
            ? "the rest are bytes of an earlier, longer datagram, which are still in the buffer"
            : rest.allSatisfy { $0 == 0 } ? "the rest is the buffer, which was never filled" : nil
        guard let what else { return nil }
        return Cause(
            "more than was received",
            "More was sent back than had been received, \(counted(received.count, "byte")) instead of "
                + "\(expected.count); \(what). Send only as many bytes as recvfrom gave.")
    }

    /// A datagram that was taken and not answered, or answered to somebody else.
    var unansweredDatagram: Cause? {
        guard let exchange, exchange.isDatagram, exchange.outcome == .waiting else { return nil }
        let taken = calls.filter { $0.isReading && $0.hasSucceeded }
        guard let last = taken.last, let index = calls.lastIndex(of: last) else { return nil }
        let replies = calls.filter { $0.isWriting && $0.hasSucceeded }
        let after = calls[(index + 1)...]
        if let failed = after.first(where: { $0.isWriting && $0.reason != nil }) {
            return failedReply(failed, last)
        }
        if let sent = replies.last, let port = sent.destination, let name = facts.names[port],
            name != exchange.client, calls.firstIndex(of: sent) ?? 0 > index
        {
            return Cause(
                "another sender's address",
                "\(sent.words) went to \(name), not to \(exchange.client). Reply to the address that "
                    + "this recvfrom gave.")
        }
        guard let wait = calls.last, wait.isReading, wait.result == nil,
            taken.count > replies.count
        else { return nil }
        guard after.contains(where: \.isWriting) || taken.count > replies.count + 1 else {
            let size = last.result == 0 ? "an empty datagram" : "the datagram"
            return Cause(
                "no reply",
                "\(last.words) brought \(size), and then came \(wait.words): no reply was sent."
                    + (last.result == 0 ? " 0 bytes are a datagram like any other." : ""))
        }
        return Cause(
            "fewer replies",
            "It has taken \(counted(taken.count, "datagram")) and sent "
                + (replies.count == 1 ? "one reply" : "\(replies.count) replies")
                + ": each datagram needs its own reply.")
    }

    private func failedReply(_ failed: TraceEvent, _ last: TraceEvent) -> Cause? {
        guard let reason = failed.reason else { return nil }
        let hasAddress = last.number != SYS_recvfrom || last.arguments[4] != 0
        if !hasAddress {
            return Cause(
                "no address",
                "\(last.words) was not asked who had sent the datagram, and so "
                    + "\(failed.words) failed with \(errorName(reason)): it has nowhere to go. "
                    + "recvfrom fills in the sender's address.")
        }
        return Cause(
            "a reply that failed",
            "\(failed.words) failed with \(errorName(reason)), so this reply was never sent.")
    }
}
