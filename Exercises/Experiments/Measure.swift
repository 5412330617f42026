import Glibc
import Support

/// What a piece of work has cost, in nanoseconds.
struct Cost {
    /// Of the clock on the wall.
    let elapsed: UInt64
    /// Of the processor, by this thread, in its own code and in the kernel.
    let processor: UInt64
}

/// Runs `body` and tells what it has cost. See clock_gettime(2).
func measure(_ body: () throws(Errno) -> Void) throws(Errno) -> Cost {
    let start = (nanoseconds(CLOCK_MONOTONIC), nanoseconds(CLOCK_THREAD_CPUTIME_ID))
    try body()
    return Cost(
        elapsed: nanoseconds(CLOCK_MONOTONIC) - start.0,
        processor: nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start.1)
}

/// A clock, in nanoseconds. See clock_gettime(2).
func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Puts spaces before a text.
func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
