// SPDX-License-Identifier: MIT

import Glibc

/// One run of one check: its story, its deadline, its random numbers, and the servers it has
/// started.
public final class CheckRun {
    /// What has been done so far.
    public let transcript = Transcript()
    /// The moment by which the check must be done.
    public let deadline: Deadline
    /// Where the check's bytes come from.
    public var random: SeededGenerator
    private let executable: String
    private let tracesEveryServer: Bool
    private var servers: [ServerProcess] = []
    private var clients = 0
    /// The servers that the check has not stopped itself.
    var running: [ServerProcess] { servers.filter { !$0.isStopped } }

    /// Prepares a run; nothing is started yet.
    /// - Parameters:
    ///   - exercise: The exercise's id.
    ///   - seconds: How long the check may take, before `WORKBOOK_TIME_SCALE`.
    ///   - tracesEveryServer: Traces the servers of which the check does not ask it, too.
    /// - Throws: `CheckFailure` of kind `machine` when the subject has not been built.
    public init(
        exercise: String, subject: Subject, seed: UInt64, seconds: Double,
        tracesEveryServer: Bool = false
    ) throws(CheckFailure) {
        self.tracesEveryServer = tracesEveryServer
        executable = try subject.executable(of: exercise)
        deadline = Deadline(seconds: seconds)
        random = SeededGenerator(seed: seed)
        Self.observeAsAnyUser()
    }

    /// Starts the server and waits until the kernel has its socket.
    /// - Parameters:
    ///   - port: The port, or 0 to let the kernel choose.
    ///   - arguments: What follows the port on its command line.
    ///   - openFiles: How many descriptors it may have open at once, if not as many as usual.
    ///   - trace: Traces the server.
    public func startServer(
        _ transport: ServerProcess.Transport = .tcp, port: UInt16 = 0, arguments: [String] = [],
        openFiles: UInt? = nil, trace: SyscallTrace? = nil
    ) throws(CheckFailure) -> ServerProcess {
        var limits = ServerProcess.limits
        if let openFiles { limits.openFiles = openFiles }
        let server = try ServerProcess(
            executable: executable, port: port, arguments: arguments, transport: transport,
            limits: limits, deadline: deadline,
            trace: trace ?? (tracesEveryServer ? .serving : nil))
        servers.append(server)
        let limit = openFiles.map { " with at most \($0) descriptors" } ?? ""
        transcript.add("the server starts\(limit), and listens on 127.0.0.1:\(server.port)")
        return server
    }

    /// Makes room for many descriptors: this process gets as many as it may have.
    /// - Parameter count: How many the check needs, here and in the server. See getrlimit(2).
    /// - Throws: `CheckFailure` of kind `notVerified` when the hard limit is lower.
    public func requireDescriptors(_ count: UInt) throws(CheckFailure) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_max >= count else {
            throw .notVerified(
                "This check needs \(count) descriptors in a process, and this machine allows "
                    + "\(limit.rlim_max): ulimit -Hn.")
        }
        limit.rlim_cur = max(limit.rlim_cur, rlim_t(count))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Starts the server where it cannot succeed, and waits for its end.
    /// - Returns: How it ended, and what it wrote to standard error.
    public func startServerToFail(
        port: UInt16
    ) throws(CheckFailure) -> (status: ExitStatus, words: String) {
        transcript.add("a second server starts on port \(port), where the first one listens")
        let process: ChildProcess
        do {
            process = try ChildProcess(executable, [String(port)], limits: ServerProcess.limits)
        } catch {
            throw .machine(error.description)
        }
        defer { process.kill() }
        while process.exitStatus() == nil, !deadline.hasPassed, process.standardOutput.isEmpty {
            process.waitForEnd(milliseconds: 1)
        }
        // What has announced itself has not failed; it gets no more time to end.
        let end = process.standardOutput.isEmpty ? process.exitStatus() : nil
        guard let status = end ?? process.wait(until: Deadline(seconds: 0.2)) else {
            let said = String(decoding: process.standardOutput.prefix(80), as: UTF8.self)
            throw CheckFailure(
                expected: "a second server that cannot bind, says so, and ends",
                found: said.isEmpty ? "it went on without a word" : "it said: \(printable(said))")
        }
        return (status, printable(String(decoding: process.standardError, as: UTF8.self)))
    }

    /// Connects one more client.
    /// - Parameter quietly: Leaves it and all that it does out of the story.
    public func connect(
        _ server: ServerProcess, quietly: Bool = false
    ) throws(CheckFailure) -> TCPClient {
        clients += 1
        return try TCPClient(
            server, name: "client \(clients)", transcript: quietly ? nil : transcript,
            deadline: deadline)
    }

    /// Connects many clients, told as one step. What they do afterwards is not told.
    public func connect(_ server: ServerProcess, count: Int) throws(CheckFailure) -> [TCPClient] {
        transcript.add("\(counted(count, "client")) connect, one after the other")
        var all: [TCPClient] = []
        for _ in 0..<count { all.append(try connect(server, quietly: true)) }
        return all
    }

    /// Makes one more sender of datagrams.
    /// - Parameter host: The last number of its own address, as in 127.0.0.2.
    public func sender(
        to server: ServerProcess, host: UInt32 = 1
    ) throws(CheckFailure) -> UDPClient {
        clients += 1
        return try UDPClient(
            server, host: host, name: "sender \(clients)", transcript: transcript,
            deadline: deadline)
    }

    /// What the servers are doing or how they ended, and their last words; without those that the
    /// check itself has stopped.
    /// - Parameter moment: Calls that began later are left out: a failure had been found.
    package func aftermath(of moment: UInt64) -> [String] {
        running.flatMap { server in
            [server.activity]
                + (server.lastCalls(upTo: moment).map { ["Its last calls: \($0)."] } ?? [])
                + server.lastWords.map { "stderr: \($0)" }
        }
    }

    /// The last calls of the last server that was traced, also of one that the check has stopped.
    package func lastCalls(upTo moment: UInt64) -> String? {
        servers.reversed().lazy.compactMap { $0.lastCalls(upTo: moment) }.first
    }

    /// What the kernel says of the last server now that the check has let go of its clients.
    package var factsAfterwards: ServerFacts {
        let server = servers.last { !$0.isStopped } ?? servers.last
        var facts = server?.facts() ?? ServerFacts()
        facts.isAfterwards = true
        return facts
    }

    /// The failure that says `unwritten`, if a server has ended as a stub does. A stub may announce
    /// itself first, so a client can notice the closed socket before the process has quite ended.
    public func unwrittenStub() -> CheckFailure? {
        for server in servers {
            if server.lastWords.contains(where: { $0.contains("is not written yet. Read") }) {
                _ = server.process.wait(until: Deadline(seconds: 5))
            }
            guard server.exitStatus == .exited(69) else { continue }
            do { try server.requireAlive() } catch { return error }
        }
        return nil
    }

    /// Does something to a server to which a fault has been shown. If it fails, that fault led to it: the
    /// check's own hint tells more than what the failure would say by itself.
    public func despiteTheFault(
        _ fault: String, _ body: () throws(CheckFailure) -> Void
    ) throws(CheckFailure) {
        transcript.add(fault)
        do {
            try body()
        } catch  where error.kind == .failed {
            throw error.retold()
        }
    }

    /// Ends every server, and whatever they have left behind.
    public func end() {
        for server in servers { server.stop() }
        killOrphans()
    }
}
