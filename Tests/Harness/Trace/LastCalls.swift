// SPDX-License-Identifier: MIT

import Glibc

/// What a failure shows of a server's calls: the last ones with their results, what was repeated told
/// once, and before them the faults and signals that the harness has placed.
package struct LastCalls {
    private let events: [TraceEvent]

    /// How many calls, or repetitions, are shown, and how many faults before them.
    private static let most = 8
    private static let mostFaults = 3
    /// The longest round of calls that is told once.
    private static let longestRound = 3

    /// The calls and signals among the events of a trace; of calls only those after the announcement,
    /// for what came before it was the loader's work.
    package init(_ events: [TraceEvent]) {
        let told = events.filter { $0.kind == .call || $0.kind == .signal }
        let announcement =
            told.firstIndex { $0.writesToAStream && $0.call.descriptor == STDOUT_FILENO } ?? -1
        self.events = told.dropFirst(announcement + 1).filter { !$0.writesToAStream }
    }

    /// As a list: `recvfrom(3) = 9, sendto(3) = 9`; nil without any.
    package var text: String? {
        guard !events.isEmpty else { return nil }
        let items = folded
        let last = items.suffix(Self.most)
        let earlier = items.dropLast(last.count)
        let faults = earlier.filter(\.isPlaced).suffix(Self.mostFaults)
        let words = faults.flatMap { [$0.text, "…"] } + last.map(\.text)
        return words.joined(separator: ", ")
    }

    private struct Item {
        let text: String
        let isPlaced: Bool
    }

    private var folded: [Item] {
        let words = events.map(\.sentence)
        var items: [Item] = []
        var start = 0
        while start < words.count {
            let (round, times) = Self.repetition(words, from: start)
            let part = words[start..<(start + round)]
            let isPlaced = events[start..<(start + round)].contains {
                $0.isInjected || $0.before != nil
            }
            if times == 1 {
                items.append(Item(text: words[start], isPlaced: isPlaced))
            } else {
                let text = part.joined(separator: ", ")
                let shown = round == 1 ? text : "[\(text)]"
                items.append(Item(text: "\(shown) \(times) times", isPlaced: isPlaced))
            }
            start += times == 1 ? 1 : round * times
        }
        return items
    }

    /// The shortest round that begins here and comes again at least twice more.
    private static func repetition(
        _ words: [String], from start: Int
    ) -> (round: Int, times: Int) {
        for round in 1...longestRound {
            var times = 1
            while start + (times + 1) * round <= words.count,
                (0..<round).allSatisfy({
                    words[start + $0] == words[start + times * round + $0]
                })
            {
                times += 1
            }
            if times > 2 { return (round, times) }
        }
        return (1, 1)
    }
}

extension TraceEvent {
    /// The event as a failure tells it: `accept4(3) = EMFILE (fault)`, `SIGTERM just before pselect6`.
    fileprivate var sentence: String {
        guard kind == .signal else {
            return "\(question) = \(answer)\(isInjected ? " (fault)" : "")"
        }
        let place = before.map { " just before \(SystemCall(number: $0, arguments: []).name)" }
        return signalName(number) + (place ?? "")
    }
}
