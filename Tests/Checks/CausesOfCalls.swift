// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import Harness

/// What a server did after a call that failed, or that took only a part; and calls that repeat.
extension Evidence {
    /// A fault that the harness has placed, and after which the server did not do what it should.
    var notMadeAgain: Cause? {
        for index in calls.indices.reversed() where calls[index].isInjected {
            guard let reason = calls[index].reason else { continue }
            if let cause = notMadeAgain(index, reason) ?? notClosed(index, reason) { return cause }
        }
        return nil
    }

    private func notMadeAgain(_ index: Int, _ reason: CInt) -> Cause? {
        let fault = calls[index]
        guard reason == EINTR || reason == EAGAIN, fault.isReading || fault.isWriting else {
            return nil
        }
        let descriptor = fault.call.descriptor
        let later = calls[(index + 1)...].filter {
            $0.thread == fault.thread && $0.call.isOn(descriptor)
        }
        let what = "\(fault.words) failed with \(errorName(reason))"
        let advice = advice(for: fault.call.name, reason, isDatagram: isDatagram)
        let key = "\(errorName(reason)) of \(fault.isReading ? "a read" : "a write")"
        guard let next = later.first else {
            // Its thread has gone elsewhere, or has ended, without another call on it.
            guard end == nil, exchange?.outcome == .waiting else { return nil }
            return Cause(key, "\(what), and the server made no further call on it. \(advice)")
        }
        if next.isClose || next.number == SYS_shutdown {
            return Cause(key, "\(what), and then came \(next.words). \(advice)")
        }
        if fault.isWriting, next.isReading {
            return Cause(
                key,
                "\(what), and then came \(next.words): what was to be written is lost. \(advice)")
        }
        return nil
    }

    /// A client for whom no thread could be started, and whose connection nobody has closed.
    private func notClosed(_ index: Int, _ reason: CInt) -> Cause? {
        guard calls[index].call.row?.kind == .starting, end == nil,
            let connection = calls[..<index].last(where: { $0.isAccept && $0.hasSucceeded })?
                .result,
            !calls[index...].contains(where: { $0.call.isOn(CInt(connection)) })
        else { return nil }
        let name = calls[index].call.name
        return Cause(
            "no thread",
            "\(name) failed with \(errorName(reason)), and descriptor \(connection), whose client that "
                + "thread was for, was not closed. "
                + advice(for: name, reason, isDatagram: false))
    }

    /// A write that took less than it was given, and whose rest was never written, or was written from
    /// the first byte on.
    var restNotWritten: Cause? {
        guard let exchange, !exchange.isDatagram else { return nil }
        let own = clientsCalls
        guard
            let index = own.lastIndex(where: {
                $0.isWriting && ($0.asks ?? 0) > max($0.result ?? 0, 0) && ($0.result ?? 0) > 0
            }), let asked = own[index].asks, let taken = own[index].result
        else { return nil }
        let what = "\(own[index].words) took \(taken) of \(counted(asked, "byte"))"
        let next = own[(index + 1)...].first { $0.isWriting || $0.isReading || $0.isClose }
        if next.map({ !$0.isWriting }) ?? true, exchange.outcome != .changed {
            return Cause(
                "the rest of a write",
                "\(what), and the other \(asked - taken) were not written afterwards. write says "
                    + "how much it has taken: go on with the rest.")
        }
        if exchange.outcome == .changed, let again = own.first(where: \.isWriting),
            repeatsFromTheStart(exchange)
        {
            return Cause(
                "a write begins again",
                "\(again.words) took a part, and the next write began with the first byte again: "
                    + "these bytes are sent twice. Go on after those that were taken.")
        }
        return nil
    }

    /// Whether what came, from the first wrong byte on, is what had come before.
    private func repeatsFromTheStart(_ exchange: Exchange) -> Bool {
        let common = zip(exchange.expected, exchange.received).prefix { $0 == $1 }.count
        let rest = exchange.received.dropFirst(common)
        return common > 0 && !rest.isEmpty && exchange.expected.starts(with: rest.prefix(common))
    }

    // MARK: Calls that repeat

    /// How often a round must have repeated before it counts as a loop that spins.
    private static let spinning = 20

    var spin: Cause? {
        guard let (round, times) = lastRound, times >= Self.spinning else { return nil }
        let list = round.map { "\($0.question) = \($0.answer)" }.joined(separator: ", ")
        let seen = "\(round.count == 1 ? list : "[\(list)]") came \(times) times in a row: "
        guard let (key, why) = reasonToSpin(round) else { return nil }
        return Cause("spins: \(key)", seen + why)
    }

    private func reasonToSpin(_ round: [TraceEvent]) -> (String, String)? {
        if let zero = round.first(where: { $0.isReading && $0.result == 0 }), !isDatagram {
            return (
                "0 of a read",
                "0 is the client's end, and comes again at each \(zero.call.name). Close the "
                    + "connection."
            )
        }
        if let accept = round.first(where: {
            $0.isAccept && $0.reason != nil && $0.reason != EAGAIN
        }),
            let reason = accept.reason
        {
            return (
                "accept = \(errorName(reason))",
                advice(for: "accept", reason, isDatagram: false) + " Asking at once spins."
            )
        }
        for watch in round {
            if let reason = unheeded(watch, round) { return reason }
        }
        let asksOnly = round.allSatisfy { $0.reason == EAGAIN }
        guard asksOnly, !asksAgainAndAgain else { return nil }
        return (
            "EAGAIN",
            "it asks again and again instead of letting one call wait, and uses all of a processor."
        )
    }

    /// Somebody whom a waiting call says to be ready, and on whom no call of the round is made.
    private func unheeded(_ watch: TraceEvent, _ round: [TraceEvent]) -> (String, String)? {
        let name = watch.call.name
        for (index, ready) in watch.ready.enumerated() {
            let isEpoll = watch.call.row?.kind == .waitingInEpoll
            guard let descriptor = isEpoll ? source(watch, index) : ready.descriptor else {
                continue
            }
            let own = round.filter { $0.call.isOn(descriptor) }
            if ready.has(POLLIN), !own.contains(where: { $0.isReading || $0.isAccept }) {
                return (
                    "unread",
                    "\(name) returns at once because \(descriptor) has something to be "
                        + "read, and nothing reads it."
                )
            }
            if ready.events == UInt32(POLLOUT), !own.contains(where: \.isWriting) {
                return (
                    "room",
                    "\(name) returns at once because \(descriptor) has room, and nothing is "
                        + "written. Ask for room only while there are unsent bytes."
                )
            }
            let gone = POLLERR | POLLHUP | POLLRDHUP | POLLNVAL
            if ready.has(gone), own.isEmpty {
                return (
                    "gone",
                    "\(name) returns at once because the client of \(descriptor) is gone, and "
                        + "nothing closes it."
                )
            }
        }
        return nil
    }

    private func source(_ watch: TraceEvent, _ index: Int) -> CInt? {
        index < watch.sources.count ? watch.sources[index] : nil
    }

    /// The round of at most three calls that the calls end with, and how often it came.
    private var lastRound: (round: [TraceEvent], times: Int)? {
        let words = calls.suffix(4000).filter { $0.result != nil }
        for length in 1...3 where words.count >= 2 * length {
            let round = Array(words.suffix(length))
            var times = 1
            while words.count >= (times + 1) * length,
                (0..<length).allSatisfy({ place in
                    let other = words[words.count - (times + 1) * length + place]
                    return other.question == round[place].question
                        && other.answer == round[place].answer
                })
            {
                times += 1
            }
            if times > 2 { return (round, times) }
        }
        return nil
    }
}
