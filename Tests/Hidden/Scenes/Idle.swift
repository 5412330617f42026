// SPDX-License-Identifier: MIT

import CLinux
public import Harness
import Registry
import Scenes

/// How a server of the model is seen to be idle.
extension Echo {
    /// Waits until it is idle: blocked in a call of its model, without a time limit, with as many threads
    /// as its model has. A server that polls is never idle: it is given some processor time instead.
    /// - Parameter cause: Why it may not come to rest, if the scene knows better than the model.
    public func rest(_ server: ServerProcess, cause: String? = nil) throws(CheckFailure) {
        guard !model.polls else { return try server.runOn("while nothing comes") }
        let calls = try server.requireParked(
            in: SystemCall.numbers(named: model.waits), words: model.word,
            cause: cause ?? model.advice)
        guard model.hasOneThread, model.servesMany else { return }
        let count = server.proc.threadIDs().count
        guard count == 1 else {
            throw CheckFailure(
                expected: "one thread that serves everybody",
                found: "\(count) threads. \(server.activity)")
        }
        guard let call = calls.first, call.waitsForever else {
            throw CheckFailure(
                expected: "\(model.word) without a time limit",
                found: "a time limit wakes it although nothing has come. \(server.activity)",
                cause: "There is nothing to do before something is ready: pass -1 to poll and "
                    + "epoll_wait, nil to select. Linux also writes the time that is left into "
                    + "select's timeval, so that it is soon zero.")
        }
    }

    /// Idle with nobody there, with silent clients, and after each has spoken.
    public func waitsInTheCallOfItsModel() throws(CheckFailure) {
        let server = try start()
        run.transcript.add("nobody connects")
        try rest(server)
        let clients = [try run.connect(server), try run.connect(server)]
        try run.exchangeALine(withEach: clients)
        run.transcript.add("both clients are silent")
        try rest(server)
        try run.exchangeALine(withEach: clients)
    }

    /// Idle, and the number of descriptors that it then has.
    public func restingDescriptors(_ server: ServerProcess) throws(CheckFailure) -> Int {
        try rest(server)
        return server.proc.descriptors().count
    }

    /// Requires that it has closed all but `count` descriptors, and is idle.
    public func requireDescriptors(
        _ server: ServerProcess, _ count: Int, after whom: String
    ) throws(CheckFailure) {
        let time = server.proc.cpuNanoseconds
        var open = 0
        try server.wait(for: "at most \(counted(count, "open descriptor")), after \(whom)") {
            open = server.proc.descriptors().count
            // One that polls, or spins, does not stop by itself: its processor time is the limit.
            let limit = model.polls ? 200_000_000 : 2_000_000_000
            return open <= count || server.proc.cpuNanoseconds - time > limit
        }
        guard open <= count else {
            throw CheckFailure(
                expected: "at most \(counted(count, "open descriptor")), after \(whom)",
                found: "\(open): \(open - count) more")
        }
        try rest(server)
    }
}
