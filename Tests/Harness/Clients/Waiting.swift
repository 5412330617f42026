// SPDX-License-Identifier: MIT

import Glibc

/// How a client waits for its server.
extension ServerProcess {
    /// The processor time that a server may use while a client gets nothing from it, in nanoseconds.
    static let patience = 2_000_000_000

    /// Waits until a client's socket is ready, and no longer than it makes sense.
    ///
    /// - Parameters:
    ///   - socket: The client's socket.
    ///   - event: `POLLIN` or `POLLOUT`.
    ///   - what: What the client waits for, as a noun.
    ///   - explain: Why nothing can come any more, now that the server rests for good; nil if
    ///     something is still on its way.
    /// - Throws: `CheckFailure` when the server has ended, has broken a bound, spins, rests
    ///   for good, or when the deadline passes.
    func wait(
        for socket: CInt, _ event: CInt, deadline: Deadline, what: String, explain: () -> String?
    ) throws(CheckFailure) {
        let before = proc.cpuNanoseconds
        var earlier: [ProcFS.Thread] = []
        while true {
            var entries = [
                pollfd(fd: socket, events: Int16(event), revents: 0),
                pollfd(fd: process.pidfd, events: Int16(POLLIN), revents: 0),
            ]
            poll(&entries, 2, deadline.milliseconds(atMost: 25))
            if entries[0].revents != 0 { return }
            if entries[1].revents != 0 { try requireAlive() }
            try requireBounds()
            if deadline.hasPassed || proc.cpuNanoseconds - before > Self.patience {
                let reason = event == POLLIN ? explain() : nil
                throw failure(
                    expected: what,
                    found: (["nothing came. \(activity)"] + [reason].compactMap { $0 })
                        .joined(separator: " "))
            }
            if event == POLLIN, isStuck(since: earlier), let reason = explain() {
                throw failure(
                    expected: what,
                    found: "nothing, and nothing will come. \(activity) \(reason)")
            }
            earlier = look()
        }
    }
}
