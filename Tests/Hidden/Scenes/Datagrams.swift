// SPDX-License-Identifier: MIT

import CLinux
import Glibc
public import Harness
import Registry
import Scenes

/// What every server that echoes datagrams keeps. Each scene starts a server of its own.
extension Echo {
    private func startAndSend() throws(CheckFailure) -> (ServerProcess, UDPClient) {
        let server = try startForDatagrams()
        return (server, try run.sender(to: server))
    }

    /// A server that echoes datagrams, perhaps beside TCP clients.
    public func startForDatagrams(
        trace: SyscallTrace? = nil
    ) throws(CheckFailure) -> ServerProcess {
        try run.startServer(model == .select ? .tcp : .udp, trace: trace)
    }

    /// An empty datagram is one like any other, and is not the one before it.
    public func echoesAnEmptyDatagram() throws(CheckFailure) {
        let (_, sender) = try startAndSend()
        for datagram in [[], run.random.line(8), [], []] { try exchange(datagram, with: sender) }
        try exchange(run.random.line(8), with: sender)
    }

    /// Datagrams of every size, the same one twice, and one that is full before one that is empty.
    public func echoesEverySize() throws(CheckFailure) {
        let (_, sender) = try startAndSend()
        // 1,472 fills an Ethernet frame; 65,507 is the most that IPv4 carries.
        for size in [1, 1472, 65_507, 0, 1] {
            let payload = run.random.bytes(size)
            for _ in 1...2 { try exchange(payload, with: sender) }
        }
    }

    private func exchange(_ payload: [UInt8], with sender: UDPClient) throws(CheckFailure) {
        try sender.send(payload)
        try sender.receive(payload)
    }

    /// Several senders, of which one has another address than the others.
    public func answersTheRightSender() throws(CheckFailure) {
        let server = try startForDatagrams()
        let senders = [
            try run.sender(to: server), try run.sender(to: server, host: 2),
            try run.sender(to: server),
        ]
        for _ in 1...2 {
            // Stopped, so that all of them are in the socket's queue when the server looks.
            try server.send(SIGSTOP)
            let lines = senders.map { _ in run.random.line(8) }
            for (sender, line) in zip(senders, lines) { try sender.send(line) }
            try server.send(SIGCONT)
            for (sender, line) in zip(senders, lines).reversed() { try sender.receive(line) }
        }
    }

    /// 200 datagrams are in the queue before the server sees the first.
    public func echoesABurst() throws(CheckFailure) {
        let (server, sender) = try startAndSend()
        run.transcript.add("the server is stopped, and \(sender.name) sends 200 datagrams")
        try server.send(SIGSTOP)
        let lines = (1...200).map { _ in run.random.line(8) }
        for line in lines { try sender.send(line, quietly: true) }
        run.transcript.add("the server goes on, and \(sender.name) waits for all 200")
        try server.send(SIGCONT)
        for line in lines { try sender.receive(line, quietly: true) }
    }

    /// A sender has closed its socket when its datagram is answered. See ECONNREFUSED in udp(7).
    public func survivesASenderThatIsGone() throws(CheckFailure) {
        let (server, other) = try startAndSend()
        for _ in 1...3 {
            try rest(server)
            try server.send(SIGSTOP)
            let gone = [try run.sender(to: server), try run.sender(to: server)]
            for sender in gone {
                try sender.send(run.random.line(8))
                sender.close()
            }
            try server.send(SIGCONT)
            try exchange(run.random.line(8), with: other)
        }
    }

    /// Two receives and a reply are interrupted, and the sender does not notice.
    public func datagramsSurviveAnInterruption() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startForDatagrams(trace: trace)
        let sender = try run.sender(to: server)
        try rest(server)
        let receiving = SystemCall.reading.union(SystemCall.readingMany)
        for number in [1, 3] { trace.inject(.fail(EINTR), at: number, of: receiving, from: 3) }
        let replying = SystemCall.writing.union([SYS_sendmmsg])
        trace.inject(.fail(EINTR), at: 2, of: replying, from: 3)
        let fault = "two of its receives and one of its replies will be interrupted (EINTR)"
        try run.despiteTheFault(fault) { () throws(CheckFailure) in
            for _ in 1...3 { try exchange(run.random.line(8), with: sender) }
        }
    }

    /// Replies fail. Each is lost, as any datagram may be, or tried again; the next one is not affected.
    public func goesOnAfterAReplyThatFails() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startForDatagrams(trace: trace)
        let sender = try run.sender(to: server)
        for error in [ENOBUFS, EAGAIN, EPERM] {
            try rest(server)
            trace.inject(.fail(error), at: 1, of: SystemCall.writing.union([SYS_sendmmsg]), from: 3)
            let fault = "its next reply will fail with \(errorName(error))"
            try run.despiteTheFault(fault) { () throws(CheckFailure) in
                let (first, second) = (run.random.line(8), run.random.line(8))
                try sender.send(first)
                try rest(server)
                try sender.send(second)
                let reply = try sender.receiveAny("a reply")
                if reply == first { return try sender.receive(second) }
                guard reply == second else {
                    throw CheckFailure(
                        expected: "the second datagram: \(escaped(second))",
                        found: escaped(reply))
                }
            }
        }
    }
}
