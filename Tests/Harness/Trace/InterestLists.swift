// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// Which descriptor the `data` of an epoll event belongs to, learnt from the epoll_ctl calls of a trace.
struct InterestLists {
    /// Of each epoll descriptor its entries: `data` by watched descriptor.
    private var entries: [CInt: [CInt: UInt64]] = [:]

    /// Takes note of a call that has returned, and gives, for an epoll_wait, the descriptor of each of
    /// its events; nil for one whose `data` several entries have, or none.
    mutating func sources(of event: TraceEvent) -> [CInt?] {
        guard let result = event.result, result >= 0 else { return [] }
        switch event.call.row?.kind {
        case .changingInterest:
            change(event)
            return []
        case .waitingInEpoll:
            let list = entries[event.call.descriptor] ?? [:]
            return event.ready.map { ready in
                let owners = list.filter { $0.value == ready.data }
                return owners.count == 1 ? owners.first?.key : nil
            }
        case .managing where event.number == SYS_close:
            // The kernel takes a closed socket off every list, unless a copy of it is still open.
            entries[event.call.descriptor] = nil
            for epoll in entries.keys { entries[epoll]?[event.call.descriptor] = nil }
            return []
        default: return []
        }
    }

    private mutating func change(_ event: TraceEvent) {
        let descriptor = CInt(truncatingIfNeeded: event.arguments[2])
        let isRemoval = CInt(truncatingIfNeeded: event.arguments[1]) == EPOLL_CTL_DEL
        let data = isRemoval ? nil : event.interests.first?.data
        entries[event.call.descriptor, default: [:]][descriptor] = data
    }
}
