import CLinux
import Glibc
import Listening
import Nonblocking
import Support

/// Plays one script of arrivals to two epoll instances that watch the same TCP socket, one
/// level-triggered, one edge-triggered, and prints what each tells when it is asked.
func replayLevelAndEdge() throws(Errno) {
    let pair = try connectedPair()
    defer { for socket in [pair.near, pair.far] { close(socket) } }
    try replayReading(pair.near, pair.far)
    try replayWriting(pair.near, pair.far)
    try replayEnd(pair.near, pair.far)
}

//> replayReading
private func replayReading(_ near: CInt, _ far: CInt) throws(Errno) {
    let both = try Watchers(near, EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
    print("reading                              level   edge")
    for _ in 1...5 { put(far, "x") }
    both.tell("5 writes of 1 byte")
    both.tell("asked again")
    put(far, "x")
    both.tell("1 more byte, nothing was read")
    take(near, 3)
    both.tell("3 of 6 bytes are read")
    take(near, 100)
    both.tell("all is read, until EAGAIN")
    put(far, "x")
    both.tell("1 more byte")
    take(near, 100)
    put(far, "x")
    take(near, 100)
    both.tell("1 more byte, read before it asks")
    put(far, "x")
    both.tell("1 more byte")
    try both.modify(near, EPOLLIN.rawValue)
    both.tell("EPOLL_CTL_MOD, nothing was read")
    both.count("asked 1000 times, nothing is read")
    try both.modify(near, EPOLLIN.rawValue | EPOLLONESHOT.rawValue)
    both.tell("EPOLLONESHOT")
    put(far, "x")
    both.tell("1 more byte")
    try both.modify(near, EPOLLIN.rawValue | EPOLLONESHOT.rawValue)
    both.tell("armed again by EPOLL_CTL_MOD")
    take(near, 100)
}
//< replayReading

private func replayWriting(_ near: CInt, _ far: CInt) throws(Errno) {
    let both = try Watchers(near, EPOLLOUT.rawValue)
    print("\nwriting                              level   edge")
    both.tell("an empty socket")
    both.count("asked 1000 times")
    put(near, "x")
    take(far, 100)
    both.tell("1 byte sent, and read by the peer")
    let piece = [UInt8](repeating: 0x78, count: 1 << 16)
    while write(near, piece, piece.count) > 0 {}
    both.tell("writes until EAGAIN")
    while take(far, 1 << 20) > 0 || isUnderWay(near) {}
    both.tell("the peer has read all")
    let all = try Watchers(near, EPOLLIN.rawValue | EPOLLOUT.rawValue)
    all.tell("watched for reading and writing")
    put(far, "x")
    all.tell("1 byte comes")
    take(near, 100)
}

private func replayEnd(_ near: CInt, _ far: CInt) throws(Errno) {
    let both = try Watchers(near, EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
    print("\nthe end                              level   edge")
    for _ in 1...3 { put(far, "x") }
    shutdown(far, Int32(SHUT_WR))
    var entry = pollfd(fd: near, events: Int16(POLLRDHUP), revents: 0)
    poll(&entry, 1, -1)
    both.tell("3 bytes and the end")
    let count = take(near, 100)
    both.tell("a read of 100 gives \(count)")
    both.tell("asked again")
}

/// Two epoll instances that watch one socket for the same events.
private struct Watchers {
    let level = epoll_create1(Int32(EPOLL_CLOEXEC))
    let edge = epoll_create1(Int32(EPOLL_CLOEXEC))

    init(_ socket: CInt, _ events: UInt32) throws(Errno) {
        try control(EPOLL_CTL_ADD, socket, events)
    }

    func modify(_ socket: CInt, _ events: UInt32) throws(Errno) {
        try control(EPOLL_CTL_MOD, socket, events)
    }

    private func control(_ verb: CInt, _ socket: CInt, _ events: UInt32) throws(Errno) {
        for (epoll, mode) in [(level, 0), (edge, EPOLLET.rawValue)] {
            var event = epoll_event(events: events | mode, data: epoll_data(fd: socket))
            guard epoll_ctl(epoll, verb, socket, &event) != -1 else { throw Errno("epoll_ctl") }
        }
    }

    /// Asks both once, without waiting, and prints the events that they tell.
    func tell(_ step: String) {
        let words = [level, edge].map { epoll in
            ask(epoll).map { "0x" + String($0.events, radix: 16) } ?? "-"
        }
        row(step, words)
    }

    /// Asks both a thousand times, and prints how often they tell something.
    func count(_ step: String) {
        row(
            step,
            [level, edge].map { epoll in "\((1...1000).filter { _ in ask(epoll) != nil }.count)" })
    }

    private func ask(_ epoll: CInt) -> epoll_event? {
        var event = epoll_event()
        return epoll_wait(epoll, &event, 1, 0) == 1 ? event : nil
    }

    private func row(_ step: String, _ words: [String]) {
        let columns = [step.padded(to: 36), words[0].padded(to: 7), words[1]]
        print(columns.joined(separator: " "))
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}

/// Two ends of a TCP connection on this machine. Neither waits.
private func connectedPair() throws(Errno) -> (near: CInt, far: CInt) {
    let listener = try openListener(port: 0)
    defer { close(listener) }
    let near = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let address = try SocketAddress(of: listener)
    guard address.withSockaddr({ connect(near, $0, $1) }) != -1 else { throw Errno("connect") }
    let far = accept(listener, nil, nil)
    guard far != -1 else { throw Errno("accept") }
    try setNonblocking(near)
    try setNonblocking(far)
    return (near, far)
}

/// Sends one letter, and waits until the peer's kernel has it.
private func put(_ socket: CInt, _ letter: String) {
    write(socket, letter, 1)
    while isUnderWay(socket) {}
}

/// Whether bytes that were sent are still to be acknowledged. See SIOCOUTQ in tcp(7).
private func isUnderWay(_ socket: CInt) -> Bool {
    var count: CInt = 0
    return ioctl(socket, UInt(SIOCOUTQ), &count) == 0 && count > 0
}

@discardableResult
private func take(_ socket: CInt, _ count: Int) -> Int {
    var buffer = [UInt8](repeating: 0, count: count)
    return max(0, read(socket, &buffer, count))
}
