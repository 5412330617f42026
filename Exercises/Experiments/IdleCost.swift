import CLinux
import Glibc
import Support

/// What it costs to wait for one descriptor among many: by poll, by select and by epoll.
///
/// The descriptors are eventfds. In each round some of them, chosen at random, become ready; one call
/// finds them; they are read, and rest again. What is told is the processor time of that one call,
/// without the time that looking at the clock takes.
func idleCost() throws(Errno) {
    let most = raiseDescriptorLimit(to: 10_100)
    print("One descriptor is ready, the others are idle: microseconds for each call")
    print("   watched      poll    select     epoll   epoll_ctl")
    for count in [10, 100, 1000, 10_000] {
        guard count + 100 <= most else {
            print("\(column(count)): not measured, this process may have \(most) descriptors")
            continue
        }
        let field = try Field(count: count)
        defer { field.close() }
        let rounds = max(100, min(4000, 1_000_000 / count))
        let poll = try field.time(rounds: rounds, active: 1) { $0.poll() }
        // An fd_set ends at 1023.
        let select = try count > 1000 ? nil : field.time(rounds: rounds, active: 1) { $0.select() }
        let epoll = try field.time(rounds: 4000, active: 1) { $0.epollWait() }
        let control = try field.timeControl(rounds: 4000)
        print(
            column(count) + column(poll) + column(select) + column(epoll) + "  " + column(control))
    }
    print("1000 descriptors are watched, some are ready: microseconds for each call")
    print("     ready      poll    select     epoll")
    let field = try Field(count: 1000)
    defer { field.close() }
    for active in [1, 10, 100, 1000] {
        let poll = try field.time(rounds: 100, active: active) { $0.poll() }
        let select = try field.time(rounds: 100, active: active) { $0.select() }
        let epoll = try field.time(rounds: 100, active: active) { $0.epollWait() }
        print(column(active) + column(poll) + column(select) + column(epoll))
    }
}

/// Many idle eventfds, and all that the three calls need to watch them.
private final class Field {
    let descriptors: [CInt]
    private var rows: [pollfd]
    private var asked = fd_set()
    private let highest: CInt
    private let instance: CInt
    private var events: [epoll_event]

    init(count: Int) throws(Errno) {
        var descriptors: [CInt] = []
        for _ in 0..<count { descriptors.append(eventfd(0, Int32(EFD_NONBLOCK))) }
        guard !descriptors.contains(-1) else { throw Errno("eventfd") }
        instance = epoll_create1(0)
        rows = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        events = [epoll_event](repeating: epoll_event(), count: count)
        highest = descriptors.max() ?? 0
        for descriptor in descriptors {
            if descriptor < FD_SETSIZE { FD_SET(descriptor, &asked) }
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data(fd: descriptor))
            guard epoll_ctl(instance, EPOLL_CTL_ADD, descriptor, &event) != -1 else {
                throw Errno("epoll_ctl")
            }
        }
        self.descriptors = descriptors
    }

    func close() {
        for descriptor in descriptors + [instance] { Glibc.close(descriptor) }
    }

    func poll() -> CInt { Glibc.poll(&rows, nfds_t(rows.count), -1) }

    func select() -> CInt {
        var readable = asked
        return Glibc.select(highest + 1, &readable, nil, nil, nil)
    }

    func epollWait() -> CInt { epoll_wait(instance, &events, CInt(events.count), -1) }

    /// Microseconds for each call of `wait`, when `active` descriptors are ready.
    func time(
        rounds: Int, active: Int, _ wait: (Field) -> CInt
    ) throws(Errno) -> Double {
        let withCall = try play(rounds: rounds, active: active, wait)
        let without = try play(rounds: rounds, active: active) { _ in CInt(active) }
        return (withCall - without) / Double(rounds)
    }

    /// Plays rounds, and gives the microseconds that their waits took.
    private func play(
        rounds: Int, active: Int, _ wait: (Field) -> CInt
    ) throws(Errno) -> Double {
        var value: UInt64 = 1
        var nanoseconds: UInt64 = 0
        let step = descriptors.count / active  // Spread over the array, as clients are.
        for _ in 0..<rounds {
            let first = Int.random(in: 0..<step)
            for index in 0..<active { write(descriptors[first + index * step], &value, 8) }
            let cost = try measure { () throws(Errno) in
                guard wait(self) == CInt(active) else { throw Errno("waiting") }
            }
            nanoseconds += cost.processor
            for index in 0..<active { read(descriptors[first + index * step], &value, 8) }
        }
        return Double(nanoseconds) / 1000
    }

    /// Microseconds for each change of an entry in epoll's interest list.
    func timeControl(rounds: Int) throws(Errno) -> Double {
        let cost = try measure { () throws(Errno) in
            for _ in 0..<rounds {
                let descriptor = descriptors[Int.random(in: descriptors.indices)]
                var event = epoll_event(
                    events: EPOLLIN.rawValue, data: epoll_data(fd: descriptor))
                guard epoll_ctl(instance, EPOLL_CTL_MOD, descriptor, &event) != -1 else {
                    throw Errno("epoll_ctl")
                }
            }
        }
        return Double(cost.processor) / Double(rounds) / 1000
    }
}

/// Lets this process have more descriptors, and tells how many it may have. See getrlimit(2).
private func raiseDescriptorLimit(to wanted: rlim_t) -> Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = max(limit.rlim_cur, min(wanted, limit.rlim_max))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(limit.rlim_cur)
}

/// A number at the right of a column of ten.
private func column(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: " ", count: max(0, 10 - digits.count)) + digits
}

private func column(_ microseconds: Double?) -> String {
    guard let microseconds else { return "         -" }
    let tenths = Int((microseconds * 10).rounded())
    let digits = "\(tenths / 10).\(tenths % 10)"
    return String(repeating: " ", count: max(0, 10 - digits.count)) + digits
}
