// SPDX-License-Identifier: MIT

public import Harness
import Registry

extension ExerciseChecks {
    /// Requires that what a server has asked of the kernel looks like its model, by the rules that the
    /// registry has for the exercise.
    /// - Parameters:
    ///   - trace: The server's trace.
    ///   - start: Calls that began earlier do not count: the server was starting.
    ///   - doing: What it served meanwhile, as in `two datagrams`.
    ///   - requests: How many requests that were.
    ///   - bytes: The bytes that all of them had together.
    public func requireModel(
        _ trace: SyscallTrace, since start: UInt64, doing: String, requests: Int, bytes: Int
    ) throws(CheckFailure) {
        guard let rules = Course.exercise(Self.exercise)?.calls else { return }
        // The call that it was waiting in when all began counts too: it has the first request's answer.
        // What a server writes to its standard streams is its own business.
        let calls = trace.events.filter {
            $0.kind == .call && ($0.end ?? .max) >= start && !$0.writesToAStream
        }
        for forbidden in rules.forbid {
            for sign in forbidden.signs {
                try forbid(sign, forbidden.meaning, calls, doing)
            }
        }
        for group in rules.require where !calls.contains(where: { group.contains($0.call.name) }) {
            throw CheckFailure(
                expected: "a call of \(group.joined(separator: " or "))",
                found: "none while it served \(doing): \(summary(calls))")
        }
        if let most = rules.callsPerRequest {
            try limit(calls, to: most * requests, doing)
        }
        if let copies = rules.copies {
            try limitCopies(calls, to: copies * bytes, doing)
        }
    }

    private func forbid(
        _ sign: String, _ meaning: String, _ calls: [TraceEvent], _ doing: String
    ) throws(CheckFailure) {
        let count = calls.filter { has($0, sign) }.count
        guard count > 0 else { return }
        let what = sign == "EAGAIN" ? "calls that ended with EAGAIN" : sign
        let last = calls.compactMap(\.end).max() ?? 0
        let time = (last - min(last, calls.map(\.start).min() ?? 0)) / 1_000_000
        let asked =
            "your server asked the kernel \(counted(count, "time")) in \(time) ms whether "
            + "something had come: \(summary(calls))"
        throw CheckFailure(
            expected: "no \(what) while it serves \(doing)",
            found: sign == "EAGAIN" ? asked : "\(counted(count, "time")): \(summary(calls))",
            cause: meaning)
    }

    private func limit(
        _ calls: [TraceEvent], to most: Int, _ doing: String
    ) throws(CheckFailure) {
        guard calls.count > most else { return }
        throw CheckFailure(
            expected: "at most \(counted(most, "call")) for \(doing)",
            found: "\(calls.count): \(summary(calls))",
            cause:
                "Each call costs its way into the kernel and back. One call can take all that has "
                + "come, and one can send it.")
    }

    private func limitCopies(
        _ calls: [TraceEvent], to most: Int, _ doing: String
    ) throws(CheckFailure) {
        let copied = calls.reduce(0) { $0 + $1.copiedBytes }
        guard copied > most else { return }
        throw CheckFailure(
            expected: "\(counted(most, "byte")) copied between the kernel and the program for "
                + "\(doing): each byte once in, and once out",
            found: "\(counted(copied, "byte")) copied: \(summary(calls))",
            cause: "Some bytes were copied more often than needed: MSG_PEEK copies and leaves them "
                + "there, and a reply longer than its request sends bytes that nobody asked for.")
    }

    private func has(_ event: TraceEvent, _ sign: String) -> Bool {
        switch sign {
        case "MSG_DONTWAIT": event.call.mustNotWait
        case "EAGAIN": event.result == -11
        default: event.call.name == sign
        }
    }

    /// How often each call was made: `recvfrom 3, sendto 2`.
    private func summary(_ calls: [TraceEvent]) -> String {
        Dictionary(grouping: calls) { $0.call.name }
            .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
            .map { "\($0.key) \($0.value.count)" }.joined(separator: ", ")
    }
}
