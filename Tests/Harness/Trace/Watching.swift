// SPDX-License-Identifier: MIT

import CLinux

/// How figures and failures speak of the calls that watch many descriptors at once.
extension TraceEvent {
    /// What is asked, as in `poll(3 in, 5 out)` or `epoll_ctl(ADD 5 in)`; nil for other calls.
    public var question: String? {
        switch call.name {
        case "select", "pselect6", "poll", "ppoll": "\(call.name)(\(list(interests)))"
        case "epoll_ctl": "epoll_ctl(\(operation))"
        default: nil
        }
    }

    /// What is ready, as in `5 in`; nil if the call failed, or tells nothing of the kind.
    public var tidings: String? {
        guard let result, result > 0 else { return nil }
        switch call.name {
        case "select", "pselect6", "poll", "ppoll": return "ready: \(list(ready))"
        case "epoll_wait", "epoll_pwait", "epoll_pwait2":
            // What the program has put into `data` may be a descriptor, or anything else.
            return "ready: \(ready.map { conditions($0.events) }.joined(separator: ", "))"
        default: return nil
        }
    }

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
        return (words + (rows.count > 4 ? ["… \(rows.count - 4) more"] : []))
            .joined(separator: ", ")
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
