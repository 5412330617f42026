import Glibc
import Listening
import Support

/// Measures how long an echo takes when the server looks only every so often, and what the looking
/// costs. The server is a child process, so that its processor time can be told from ours.
func pollingInterval() throws(Errno) {
    print("interval      half of the echoes within   the slowest   processor of the server")
    for microseconds in [0, 100, 1000, 10_000, 50_000] as [UInt32] {
        let server = try openDatagramSocket(port: 0)
        let address = try SocketAddress(of: server)
        let child = fork()
        guard child != -1 else { throw Errno("fork") }
        if child == 0 { echo(server, every: microseconds) }
        let begin = nanoseconds(CLOCK_MONOTONIC)
        let delays = try ask(address, times: microseconds > 10_000 ? 20 : 50)
        let elapsed = nanoseconds(CLOCK_MONOTONIC) - begin
        kill(child, SIGKILL)
        var usage = rusage()
        wait4(child, nil, 0, &usage)
        close(server)
        let used =
            UInt64(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
            + UInt64(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        print(
            right("\(microseconds) µs", 8), right("\(delays[delays.count / 2] / 1000) µs", 31),
            right("\(delays[delays.count - 1] / 1000) µs", 13),
            right("\(used * 100_000 / elapsed) %", 25))
    }
}

/// The server: looks, and then sleeps. It never returns.
private func echo(_ socket: CInt, every microseconds: UInt32) -> Never {
    var buffer = [UInt8](repeating: 0, count: 2048)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr {
            recvfrom(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, $1)
        }
        if count != -1 {
            _ = sender.withSockaddr { sendto(socket, buffer, count, 0, $0, $1) }
        } else if microseconds > 0 {
            usleep(microseconds)
        }
    }
}

/// The client: sends at moments that have nothing to do with the server's, and waits for the echo.
/// - Returns: How long each echo took, in nanoseconds, the shortest first.
private func ask(_ server: SocketAddress, times: Int) throws(Errno) -> [UInt64] {
    let socket = try openDatagramSocket(port: 0)
    defer { close(socket) }
    var buffer = [UInt8](repeating: 0, count: 64)
    var delays: [UInt64] = []
    for _ in 0..<times {
        usleep(UInt32.random(in: 0...10_000))
        let start = nanoseconds(CLOCK_MONOTONIC)
        guard server.withSockaddr({ sendto(socket, buffer, 64, 0, $0, $1) }) != -1,
            recv(socket, &buffer, buffer.count, 0) != -1
        else { throw Errno("recv") }
        delays.append(nanoseconds(CLOCK_MONOTONIC) - start)
    }
    return delays.sorted()
}

private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
