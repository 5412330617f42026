import CLinux
import Glibc
import Support

/// How long one call of select, poll and epoll_wait takes, when of 1,000 descriptors 1, 10, 100 or
/// all are ready. Only the call is measured, not what a program does with the answer.
func activeFraction() throws(Errno) {
    let counters = try EventCounters(1000)
    let all = counters.descriptors
    let epoll = try watchWithEpoll(all)
    defer { close(epoll) }
    var events = [epoll_event](repeating: epoll_event(), count: all.count)
    var table = all.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var wanted = fd_set()
    for descriptor in all { FD_SET(descriptor, &wanted) }
    let highest = all.max() ?? 0

    print("ready    select      poll     epoll   in µs a call, 1,000 descriptors")
    for count in [1, 10, 100, 1000] {
        let ready = Array(all.shuffled().prefix(count))
        let times = [
            try typicalTime(ready) { () throws(Errno) in
                var set = wanted
                guard select(highest + 1, &set, nil, nil, nil) == count else { throw .current }
            },
            try typicalTime(ready) { () throws(Errno) in
                guard poll(&table, nfds_t(table.count), -1) == count else { throw .current }
            },
            try typicalTime(ready) { () throws(Errno) in
                let found = epoll_wait(epoll, &events, CInt(events.count), -1)
                guard found == count else { throw .current }
            },
        ]
        let columns = times.map { pad("\(Double($0 / 100) / 10)", 10) }
        print(pad("\(count)", 5) + columns.joined())
    }
}

/// The median of 201 rounds, in nanoseconds, without what measuring itself costs. Before each round
/// the descriptors are made ready.
private func typicalTime(
    _ ready: [CInt], _ call: () throws(Errno) -> Void
) throws(Errno) -> UInt64 {
    var times: [UInt64] = []
    var idle: [UInt64] = []
    for _ in 1...201 {
        for descriptor in ready { EventCounters.raise(descriptor) }
        idle.append(try measure({}).elapsed)
        times.append(try measure(call).elapsed)
        for descriptor in ready { EventCounters.lower(descriptor) }
    }
    let (time, nothing) = (times.sorted()[100], idle.sorted()[100])
    return time - min(time, nothing)
}

/// Puts spaces before a text.
func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
