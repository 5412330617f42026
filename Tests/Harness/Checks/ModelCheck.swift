// SPDX-License-Identifier: MIT

import Course
public import Harness

extension ExerciseChecks {
    /// Requires that what a server has asked of the kernel looks like its model, by the rules that the
    /// registry has for the exercise.
    /// - Parameters:
    ///   - trace: The server's trace.
    ///   - start: Calls that began earlier do not count: the server was starting.
    ///   - doing: What it served meanwhile, as in `two datagrams`.
    public func requireModel(
        _ trace: SyscallTrace, since start: UInt64, doing: String
    ) throws(CheckFailure) {
        guard let rules = Course.exercise(Self.exercise)?.model else { return }
        // The call that it was waiting in when all began counts, too: it has the first request's answer.
        let calls = trace.events.filter { $0.kind == .call && ($0.end ?? .max) >= start }
        for forbidden in rules.forbid {
            for sign in forbidden.signs {
                let count = calls.filter { has($0, sign) }.count
                guard count > 0 else { continue }
                let what = sign == "EAGAIN" ? "calls that ended with EAGAIN" : sign
                throw CheckFailure(
                    expected: "no \(what) while it serves \(doing)",
                    found: "\(counted(count, "time")): \(summary(calls))", cause: forbidden.meaning)
            }
        }
        for group in rules.require where !calls.contains(where: { group.contains($0.call.name) }) {
            throw CheckFailure(
                expected: "a call of \(group.joined(separator: " or "))",
                found: "none while it served \(doing): \(summary(calls))")
        }
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
