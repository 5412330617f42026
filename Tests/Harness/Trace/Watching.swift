// SPDX-License-Identifier: MIT

import CLinux

/// How figures and failures speak of the calls that watch many descriptors at once.
extension TraceEvent {
    /// What is asked, as in `poll(3 in, 5 out)`, `pselect6(6; 3 in, 5 out)`, where 6 is the first
    /// argument, or `epoll_ctl(ADD 5 in)`; nil for other calls.
    var watching: String? {
        switch call.row?.kind {
        case .selecting:
            "\(call.name)(\(call.descriptor)\(interests.isEmpty ? "" : "; ")\(list(interests)))"
        case .polling: "\(call.name)(\(list(interests)))"
        case .changingInterest: "epoll_ctl(\(operation))"
        default: nil
        }
    }

    /// What is ready, as in `5 in`; nil if the call failed, or tells nothing of the kind.
    public var tidings: String? {
        guard let result, result > 0 else { return nil }
        switch call.row?.kind {
        case .selecting, .polling: return "ready: \(list(ready))"
        case .waitingInEpoll:
            return "ready: \(events)"
        default: return nil
        }
    }

    /// The events of epoll_wait. What a program has put into `data` may be a descriptor or anything
    /// else; whose it is, is known from the epoll_ctl that has given it.
    private var events: String {
        let words = ready.enumerated().prefix(4).map { index, event in
            let source = index < sources.count ? sources[index] : nil
            return (source.map { "\($0) " } ?? "") + conditions(event.events)
        }
        return (words + more(ready.count)).joined(separator: ", ")
    }

    private func more(_ count: Int) -> [String] { count > 4 ? ["… \(count - 4) more"] : [] }

    private var operation: String {
        let descriptor = CInt(truncatingIfNeeded: arguments[2])
        switch CInt(truncatingIfNeeded: arguments[1]) {
        case EPOLL_CTL_ADD: return "ADD \(list(interests))"
        case EPOLL_CTL_MOD: return "MOD \(list(interests))"
        default: return "DEL \(descriptor)"
        }
    }

    private func list(_ rows: [Interest]) -> String {
        let words = rows.prefix(4).map { "\($0.descriptor) \(conditions($0.events))" }
        return (words + more(rows.count)).joined(separator: ", ")
    }

    private func conditions(_ events: UInt32) -> String {
        let names: [(CInt, String)] = [
            (POLLIN, "in"), (POLLPRI, "pri"), (POLLOUT, "out"), (POLLERR, "err"),
            (POLLHUP, "hup"), (POLLNVAL, "nval"), (POLLRDHUP, "rdhup"),
        ]
        let found = names.filter { events & UInt32($0.0) != 0 }.map(\.1)
        let isEdge = events & (1 << 31) != 0
        return (found + (isEdge ? ["edge"] : [])).joined(separator: "+")
    }
}
