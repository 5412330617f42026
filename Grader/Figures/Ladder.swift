// SPDX-License-Identifier: MIT

import Foundation
package import Harness

/// What a server asked of the kernel, as rows of the App/Kernel figure: each call goes over to the
/// kernel, waits or not, copies or not, and comes back.
package struct Ladder: Codable {
    /// One call, or several equal ones in a row.
    package struct Row: Codable {
        /// Which of the columns makes the call, counted from 0.
        let column: Int
        /// The call with the arguments that matter: `recvfrom(3)`.
        let call: String
        /// What the kernel has to wait for: `no datagram ready`; nil if it need not wait.
        let waiting: String?
        /// What ends the wait: `datagram ready`; nil if it did not wait.
        let ready: String?
        /// What is copied, and where to; nil if nothing is.
        let copying: String?
        /// What comes back: `9 bytes`, `EAGAIN`; nil while it has not.
        let answer: String?
        /// When it began, in milliseconds from the first row.
        let start: Double
        /// How long it took; nil while it has not returned.
        let duration: Double?
        /// How many more calls like this followed, or more rounds that ended with this one.
        var more = 0
        /// How many rows the round has that was repeated: 1 if it was this call alone.
        var round = 1
    }

    /// A moment of the figure: a call goes over to the kernel, or comes back.
    struct Moment {
        let row: Row
        let isReturn: Bool
        var time: Double { row.start + (isReturn ? row.duration ?? 0 : 0) }
    }

    /// Every moment in the order of time. With several threads, calls begin before others have ended.
    var moments: [Moment] {
        let all = rows.flatMap { row in
            [Moment(row: row, isReturn: false)]
                + (row.answer == nil ? [] : [Moment(row: row, isReturn: true)])
        }
        return all.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }
        .map(\.element)
    }

    /// Whose figure this is: `blocking-udp (solution)`.
    package let title: String
    /// The threads, in the order in which they made their first call.
    package let columns: [String]
    /// The calls, in the order in which they began.
    package private(set) var rows: [Row]

    /// Makes the figure of a trace.
    package init(title: String, events: [TraceEvent]) {
        let calls = events.filter { $0.kind == .call }
        var threads: [Int32] = []
        for call in calls where !threads.contains(call.thread) { threads.append(call.thread) }
        self.title = title
        columns = threads.indices.map { threads.count == 1 ? "App" : "Thread \($0 + 1)" }
        let origin = calls.first?.start ?? 0
        rows = Self.folded(
            calls.map { event in
                Row(
                    column: threads.firstIndex(of: event.thread) ?? 0, event: event,
                    origin: origin)
            })
    }

    /// The longest round that is looked for: a server that polls asks each of its clients in turn.
    private static let longestRound = 8

    /// Puts repeated rows into one, and repeated rounds in which nothing came.
    private static func folded(_ rows: [Row]) -> [Row] {
        var folded: [Row] = []
        var start = 0
        while start < rows.count {
            let rounds = (1...longestRound).lazy.map { ($0, repeats(rows, from: start, round: $0)) }
            let (round, more) = rounds.first { $0.1 > 0 } ?? (1, 0)
            folded += rows[start..<(start + round)]
            folded[folded.count - 1].more = more
            folded[folded.count - 1].round = round
            start += round * (more + 1)
        }
        return folded
    }

    private static func repeats(_ rows: [Row], from start: Int, round: Int) -> Int {
        let first = rows[start..<min(start + round, rows.count)]
        guard round == 1 || first.allSatisfy({ $0.answer == "EAGAIN" }) else { return 0 }
        var next = start + round
        while next + round <= rows.count,
            zip(first, rows[next..<(next + round)]).allSatisfy({ $0.isRepeated(by: $1) })
        {
            next += round
        }
        return (next - start) / round - 1
    }
}

extension Ladder.Row {
    /// What followed: `3 more calls with the same answer`.
    var repetition: String {
        round == 1
            ? "\(counted(more, "more call")) with the same answer"
            : "\(counted(more, "more round")) of these \(round) calls"
    }

    fileprivate init(column: Int, event: TraceEvent, origin: UInt64) {
        let call = event.call
        let words = Words(call)
        let waits = event.hasWaited || event.end == nil
        let count = max(event.result ?? 0, 0)
        self.column = column
        self.call = event.question
        waiting = waits ? words.missing : nil
        ready = waits && event.end != nil && (event.result ?? -1) >= 0 ? words.present : nil
        copying = event.end != nil && count > 0 ? words.copies(count) : nil
        answer = event.tidings ?? event.result.map { words.answer($0) }
        start = Double(event.start - min(origin, event.start)) / 1e6
        duration = event.end.map { Double($0 - event.start) / 1e6 }
    }

    /// Whether `next` is the same call with the same answer, and neither had to wait.
    fileprivate func isRepeated(by next: Self) -> Bool {
        column == next.column && call == next.call && answer == next.answer && waiting == nil
            && next.waiting == nil
    }
}

/// How the figure speaks of a call.
private struct Words {
    let missing: String
    let present: String
    private let family: Family

    private enum Family { case receiving, sending, accepting, starting, other }

    init(_ call: SystemCall) {
        switch call.row?.kind {
        case .reading, .readingMany:
            let noun = call.name.hasPrefix("recv") ? "datagram" : "data"
            (missing, present, family) = ("no \(noun) ready", "\(noun) ready", .receiving)
        case .writing, .writingMany:
            (missing, present, family) = ("no room in the socket", "room in the socket", .sending)
        case .accepting:
            (missing, present, family) = ("no connection ready", "connection ready", .accepting)
        case .starting: (missing, present, family) = ("", "", .starting)
        default: (missing, present, family) = ("nothing ready", "something ready", .other)
        }
    }

    func copies(_ count: Int) -> String? {
        switch family {
        case .receiving: "copy \(counted(count, "byte")) to the app"
        case .sending: "copy \(counted(count, "byte")) to the kernel"
        case .accepting, .starting, .other: nil
        }
    }

    func answer(_ result: Int) -> String {
        if result < 0 { return errorName(CInt(clamping: -result)) }
        switch family {
        case .receiving: return result == 0 ? "0: the end" : counted(result, "byte")
        case .sending: return counted(result, "byte")
        case .accepting: return "descriptor \(result)"
        case .starting: return "a new thread"
        case .other: return "\(result)"
        }
    }
}
