import CLinux
import Glibc
import Support

/// What one select costs: by the highest descriptor, and by how many are watched.
///
/// glibc's fd_set ends at 1024. The kernel takes longer sets, so this one calls it directly. Each
/// row is the best of five rounds: others may use the processor, too.
func measureSelectCost() throws(Errno) {
    let high: CInt = 19_000
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var low: [CInt] = []
    for _ in 0..<1000 {
        let descriptor = eventfd(0, 0)
        guard descriptor != -1 else { throw Errno("eventfd") }
        low.append(descriptor)
    }
    guard fcntl(low[0], F_DUPFD, high) != -1 else { throw Errno("fcntl") }
    let four = Array(low[..<4])
    print("watched                        first argument   one select")
    for (what, watched, count) in [
        ("4 low ones", four, 20), ("4 low ones", four, high + 1),
        ("4 low ones and number 19000", four + [high], high + 1),
        ("1000", low, CInt(1020)),
    ] {
        var question = [UInt64](repeating: 0, count: Int(high) / 64 + 1)
        for descriptor in watched { question[Int(descriptor) / 64] |= 1 << UInt64(descriptor % 64) }
        let turns = watched.count > 100 ? 1000 : 10_000
        var nanoseconds = Int.max
        for _ in 1...5 {
            let cost = try measure { () throws(Errno) in
                for _ in 0..<turns {
                    guard selectNow(question, count) == 0 else { throw Errno("select") }
                }
            }
            nanoseconds = min(nanoseconds, Int(cost.processor) / turns)
        }
        print(left(what, 31) + right("\(count)", 14) + right("\(nanoseconds) ns", 13))
    }
    var one = [UInt64](repeating: 0, count: Int(high) / 64 + 1)
    let ready = eventfd(1, 0)
    guard fcntl(ready, F_DUPFD, 5000) != -1 else { throw Errno("fcntl") }
    one[5000 / 64] |= 1 << UInt64(5000 % 64)
    print("descriptor 5000 in a set of its own: select gives \(selectNow(one, 5001))")
}

/// Asks which of these descriptors can be read, and does not wait. Gives how many bits are set.
private func selectNow(_ question: [UInt64], _ count: CInt) -> Int {
    // The answer overwrites the set, so the question is copied each time.
    let bytes = question.count * 8
    let set = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
    defer { set.deallocate() }
    memcpy(set, question, bytes)
    var now = timespec()
    return withUnsafeMutablePointer(to: &now) { now in
        raw_syscall(
            Int(SYS_pselect6), Int(count), Int(bitPattern: set), 0, 0, Int(bitPattern: now), 0)
    }
}

private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
