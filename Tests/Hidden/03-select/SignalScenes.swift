import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// SIGTERM at every moment: systematically before each call, and at random.
extension CheckRun {
    /// Keeps one server after the other just before one of its calls, the next one each time, and
    /// sends it SIGTERM there.
    func signalAtEachCall() throws(CheckFailure) {
        let (before, after) = try callsAroundTheHandler()
        transcript.add(
            "after it has set SIGTERM up, it makes \(after) calls for a client and its line; "
                + "SIGTERM comes before each of them, each time in a new server")
        for number in 1...after {
            let trace = Self.settingUp
            trace.hold(at: before + number, of: Self.callsOfInterest)
            let server = try startServer(trace: trace)
            let client = try connect(server, quietly: true)
            let line = random.line(8)
            try client.send(line)
            try server.waitForHoldOrRest(trace, client)
            try server.beToldToEnd(self)
            trace.release()
            try server.requireDrained(to: client, line)
            try server.waitForItsEnd(
                cause: "SIGTERM came before call \(number) after its handler was installed. "
                    + "Block the signal first, and look at the flag before each wait.")
        }
    }

    private static let callsOfInterest = SystemCall.reading.union(SystemCall.writing)
        .union(SystemCall.accepting).union(SystemCall.inSelect)
        .union([SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_fcntl, SYS_ioctl])

    private static var settingUp: SyscallTrace { SyscallTrace(calls: callsOfInterest) }

    /// How many of its calls a server makes until SIGTERM is caught, and afterwards for one line.
    private func callsAroundTheHandler() throws(CheckFailure) -> (before: Int, after: Int) {
        let trace = Self.settingUp
        let server = try startServer(trace: trace)
        let client = try connect(server)
        try exchangeALine(with: client)
        try server.waitUntilParked()
        let calls = trace.events.filter { $0.kind == .call }
        let handler = calls.lastIndex {
            $0.number == SYS_rt_sigaction && $0.call.descriptor == SIGTERM
        }
        guard let handler else {
            throw CheckFailure(
                expected: "a handler for SIGTERM: sigaction(2)", found: "none was installed")
        }
        return (handler + 1, calls.count - handler - 1)
    }

    /// SIGTERM at a random moment of a server's life, from the moment on at which it is caught.
    /// Several servers run side by side; each has a client that has sent a line just before.
    func signalManyAtRandom(_ count: Int = 1000, atOnce: Int = 8) throws(CheckFailure) {
        let executable = try Subject.current.executable(of: "pselect-drain")
        // One that can tell that its exercise is not written yet.
        try exchangeALine(with: connect(startServer()))
        transcript.add(
            "\(count) servers, \(atOnce) at a time; each gets SIGTERM at a random moment")
        for _ in 0..<(count / atOnce) {
            var servers: [BriefServer] = []
            for _ in 0..<atOnce { servers.append(try BriefServer(executable, deadline)) }
            for server in servers {
                let client = try server.connect()
                defer { close(client) }
                try server.waitUntilCaught(SIGTERM)
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    try server.exchange(random.line(8), with: client)
                }
                let line = random.line(8)
                send(client, line, line.count, Int32(MSG_NOSIGNAL))
                // No wait for anything: a moment like any other.
                let moment = Deadline.nanoseconds() + .random(in: 0...200_000, using: &random)
                while Deadline.nanoseconds() < moment {}
                kill(server.process.pid, SIGTERM)
                try server.receive(line, from: client)
                try server.waitForItsEnd()
            }
        }
    }
}

extension ServerProcess {
    /// Waits until a traced server stands at the call of `hold`, or has answered and rests: then it
    /// never makes that call.
    fileprivate func waitForHoldOrRest(
        _ trace: SyscallTrace, _ client: TCPClient
    ) throws(CheckFailure) {
        var before: [ProcFS.Thread] = []
        try wait(for: "a server that has answered the line") {
            if trace.isHolding { return true }
            let now = self.proc.threads()
            defer { before = now }
            return client.waitingBytes > 0 && now == before && now.allSatisfy { $0.call != nil }
        }
    }
}
