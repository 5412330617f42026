import CLinux
import Glibc
import Support

/// What epoll_ctl and epoll_wait cost, when the interest list has 10 to 10,000 entries.
func epollCtlCost() throws(Errno) {
    print("entries       MOD   DEL+ADD      wait   in ns")
    let turns = 20_000
    for count in [10, 100, 1000, 10_000] {
        let counters = try EventCounters(count)
        let all = counters.descriptors
        guard all.count == count else { return print("\(count): too many for ulimit -Hn") }
        let epoll = try watchWithEpoll(all)
        defer { close(epoll) }
        let chosen = (0..<turns).map { _ in all[Int.random(in: 0..<count)] }
        var events = [epoll_event](repeating: epoll_event(), count: 8)
        let costs = [
            try measure { () throws(Errno) in
                for descriptor in chosen { try change(epoll, EPOLL_CTL_MOD, descriptor) }
            },
            // Each is back before the next one goes: the list keeps its length.
            try measure { () throws(Errno) in
                for descriptor in chosen {
                    try change(epoll, EPOLL_CTL_DEL, descriptor)
                    try change(epoll, EPOLL_CTL_ADD, descriptor)
                }
            },
            // Nobody is ready, and it does not wait: the bare price of asking.
            try measure { () throws(Errno) in
                for _ in 1...turns {
                    guard epoll_wait(epoll, &events, 8, 0) == 0 else { throw Errno("epoll_wait") }
                }
            },
        ]
        let columns = costs.map { pad("\($0.processor / UInt64(turns))", 10) }
        print(pad("\(count)", 7) + columns.joined())
    }
}

private func change(_ epoll: CInt, _ operation: CInt, _ descriptor: CInt) throws(Errno) {
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
    guard epoll_ctl(epoll, operation, descriptor, &event) != -1 else { throw Errno("epoll_ctl") }
}
