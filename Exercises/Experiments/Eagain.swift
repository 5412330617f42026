import Glibc
import Listening
import Nonblocking
import Support

/// Waits one second for a datagram that does not come: first by asking again and again, then in one
/// call that blocks. Both see EAGAIN; the first one some hundred thousand times.
func eagain() throws(Errno) {
    let socket = try openDatagramSocket(port: 0)
    defer { close(socket) }
    var buffer = [UInt8](repeating: 0, count: 2048)

    // A time limit lets the blocking recvfrom end, too, so that the two can be compared.
    var second = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &second, socklen_t(MemoryLayout<timeval>.size))
    let blocking = try measure { _ = recv(socket, &buffer, buffer.count, 0) }

    try setNonblocking(socket)
    var refusals = 0
    let end = nanoseconds(CLOCK_MONOTONIC) + 1_000_000_000
    let polling = try measure {
        while nanoseconds(CLOCK_MONOTONIC) < end {
            // A hundred in a row, so that the clock costs little.
            for _ in 1...100 where recv(socket, &buffer, buffer.count, 0) == -1 && errno == EAGAIN {
                refusals += 1
            }
        }
    }
    print("blocking:    1 EAGAIN, \(share(blocking))")
    print("polling:     \(refusals) EAGAIN, \(share(polling))")
    print("one EAGAIN:  \(Int(polling.processor) / refusals) ns")
}

private func share(_ cost: Cost) -> String {
    let tenths = Int(cost.processor * 1000 / cost.elapsed)
    return "\(cost.elapsed / 1_000_000) ms, \(tenths / 10).\(tenths % 10) % of a processor"
}
