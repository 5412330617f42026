// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// A learner's server, running: started with bounds, watched through the kernel, always ended.
public final class ServerProcess {
    /// How it is reached.
    public enum Transport: Sendable {
        /// It is ready when a LISTEN row exists.
        case tcp
        /// It is ready when its socket is bound.
        case udp
    }

    /// The bounds of every server. A check that needs others says so.
    public static let limits = Limits(
        openFiles: 4096, fileBytes: 16 << 20, cpuSeconds: 60, stackBytes: 8 << 20)
    /// The memory that a server may have in use before it is stopped.
    public static let residentBytes = 512 << 20
    /// The processes that a server may have below it before it is stopped.
    public static let processes = 512

    /// The port that it announced.
    public private(set) var port: UInt16 = 0
    /// What the kernel tells about it.
    public let proc: ProcFS
    let process: ChildProcess
    /// Whether the harness has ended it.
    private(set) var isStopped = false
    /// Whether it may end by itself, with status 0: it was told to.
    public var mayEnd = false
    private let transport: Transport
    let trace: SyscallTrace?
    /// Its clients' names in the order in which they came, and by their ports.
    var visitors: [String] = []
    var names: [UInt16: String] = [:]
    /// What its clients have sent.
    var sent: [Exchange.Sent] = []
    private let limits: Limits
    private let deadline: Deadline
    private let tasksBefore = tasksOnThisMachine()
    private var nextLook: UInt64 = 0

    /// Starts an executable with `PORT` and `arguments`, and waits until the kernel has its socket.
    /// - Throws: `CheckFailure` when it ends, announces nothing, or listens elsewhere.
    public init(
        executable: String, port: UInt16 = 0, arguments: [String] = [], transport: Transport,
        limits: Limits = limits,
        deadline: Deadline, trace: SyscallTrace? = nil
    ) throws(CheckFailure) {
        do {
            // Swift's backtrace takes seconds and tells a learner less than the line before it.
            process = try ChildProcess(
                executable, [String(port)] + arguments,
                environment: ["SWIFT_BACKTRACE": "enable=no"],
                limits: limits, trace: trace)
        } catch {
            if trace != nil, error.reason == EPERM {
                throw .notVerified("This machine does not permit tracing (ptrace).")
            }
            throw .machine(error.description)
        }
        proc = ProcFS(pid: process.pid)
        self.transport = transport
        self.trace = trace
        self.limits = limits
        self.deadline = deadline
        self.port = try awaitAnnouncement()
        let port = self.port
        try wait(for: transport == .tcp ? "a listener on \(port)" : "a socket on \(port)") {
            () throws(CheckFailure) in
            let row =
                transport == .tcp ? SocketTable.listener(port: port) : SocketTable.udp(port: port)
            guard let row else { return false }
            if row.localHost != "127.0.0.1" {
                throw CheckFailure(
                    expected: "a socket on 127.0.0.1", found: "a socket on \(row.localHost)",
                    cause: "bind(2) was not called with the loopback address; a socket that was "
                        + "never bound listens on all addresses.")
            }
            return true
        }
    }

    /// How it ended, or nil while it runs.
    public var exitStatus: ExitStatus? { process.exitStatus() }

    /// The last lines that it wrote to standard error, made printable. Of a crash the first ones:
    /// what follows them are registers and addresses.
    public var lastWords: [String] {
        let text = String(decoding: process.standardError.suffix(8192), as: UTF8.self)
        let lines = text.split(separator: "\n").map { printable(String($0)) }
        let crash = lines.firstIndex { $0.contains("Fatal error") || $0.contains("free()") }
        return Array(crash.map { lines[$0...].prefix(2) } ?? lines.suffix(6))
    }

    /// Sends it a signal, and for SIGSTOP and SIGCONT waits until the kernel has carried it out.
    public func send(_ signal: CInt) throws(CheckFailure) {
        Glibc.kill(process.pid, signal)
        if signal == SIGSTOP {
            try wait(for: "the server to stop") { "tT".contains(self.proc.state ?? "-") }
        }
        if signal == SIGCONT {
            try wait(for: "the server to go on") { !"tT".contains(self.proc.state ?? "-") }
        }
    }

    /// Sets how many descriptors it may have open from now on. See prlimit(2).
    public func limitDescriptors(to count: UInt) throws(CheckFailure) {
        // The hard limit stays: without privilege, none can be raised.
        var limit = rlimit(rlim_cur: rlim_t(count), rlim_max: rlim_t(limits.openFiles))
        guard prlimit(process.pid, CInt(RLIMIT_NOFILE.rawValue), &limit, nil) == 0 else {
            throw refusal("set a limit", errno)
        }
    }

    /// Ends it and everything that it has started.
    public func stop() {
        isStopped = true
        trace?.release()
        process.kill()
    }

    /// Waits for a state of the kernel.
    ///
    /// - Parameters:
    ///   - what: The state, as a noun: `a listener on 7000`.
    ///   - condition: Whether it has come. It is asked about once in a millisecond.
    /// - Throws: `CheckFailure` when the server ends first, when it breaks a bound, when all its
    ///   threads wait for something that will not come, or when the check's deadline passes.
    public func wait(
        for what: String, until condition: () throws(CheckFailure) -> Bool
    ) throws(CheckFailure) {
        var turns = 0
        var earlier: [ProcFS.Thread] = []
        while try !condition() {
            try requireAlive()
            try requireBounds()
            turns += 1
            if turns % 50 == 0 {
                if isStuck(since: earlier), try !condition() {
                    throw failure(expected: what, found: "it will not come. \(activity)")
                }
                earlier = look()
            }
            if deadline.hasPassed {
                throw failure(expected: what, found: "it did not come. \(activity)")
            }
            process.waitForEnd(milliseconds: deadline.milliseconds(atMost: 1))
        }
    }

    /// What it is doing now, as sentences for a learner.
    public var activity: String {
        if let status = exitStatus { return "The server \(status)." }
        let threads = proc.threads()
        let running = threads.filter { $0.call == nil }.count
        let calls = threads.compactMap { $0.call?.description }
        var parts = Dictionary(grouping: calls) { $0 }.sorted { $0.value.count > $1.value.count }
            .map { $0.value.count == 1 ? "in \($0.key)" : "\($0.value.count) in \($0.key)" }
        if running > 0 {
            let used = proc.cpuNanoseconds / 1_000_000
            parts.append(
                (running == 1 ? "" : "\(running) ")
                    + "running (\(used) ms of processor time so far)")
        }
        if parts.count > 6 { parts = parts.prefix(6) + ["… \(parts.count - 6) more"] }
        let subject = threads.count == 1 ? "The server's one thread is" : "The server's threads are"
        return "\(subject) \(parts.joined(separator: ", "))."
    }

    /// Its last calls with their results, if it is traced: `recvfrom(3) = 9, sendto(3) = 9`.
    func lastCalls(upTo moment: UInt64) -> String? {
        trace.flatMap { trace in LastCalls(trace.history.filter { $0.start <= moment }).text }
    }

    /// Throws when it has ended, with the reason in a learner's words.
    public func requireAlive() throws(CheckFailure) {
        guard let status = exitStatus else { return }
        if mayEnd, status == .exited(0) { return }
        if status == .exited(69) {
            throw .unwritten(lastWords.last ?? "The exercise is not written yet.")
        }
        let words =
            lastWords.isEmpty ? "" : " Its last words: \(lastWords.joined(separator: " / "))"
        throw failure(
            expected: mayEnd ? "a server that ends with status 0" : "a server that goes on serving",
            found: "the server \(status).\(words)", cause: status.meaning)
    }

    /// What a client saw that lost its connection is no story of its own when the server is ending:
    /// then its end is. Throws like `requireAlive`, once it has ended.
    public func requireAliveNow() throws(CheckFailure) {
        // It is gone for the kernel before the thread that traces it has kept its status.
        let isGone = Glibc.kill(process.pid, 0) == -1
        if isGone || proc.isExiting { _ = process.wait(until: deadline) }
        try requireAlive()
    }

    /// Throws when it hides from the harness, and stops it, and throws, when it takes more of the
    /// machine than it may. Looks at most once in 20 ms, and at the processes only when the machine
    /// as a whole has many more than at the start.
    func requireBounds() throws(CheckFailure) {
        guard Deadline.nanoseconds() > nextLook else { return }
        try requireObservable()
        if tasksOnThisMachine() > tasksBefore + Self.processes {
            guard descendants(of: process.pid).count <= Self.processes else {
                stop()
                throw stopped("it started more than \(Self.processes) processes")
            }
        }
        if proc.residentBytes > Self.residentBytes {
            stop()
            throw stopped("its memory grew beyond \(Self.residentBytes >> 20) MiB")
        }
        nextLook = Deadline.nanoseconds() + 20_000_000
    }

    private func stopped(_ why: String) -> CheckFailure {
        CheckFailure(
            expected: "a server that stays within its bounds",
            found: "the server was stopped: \(why).",
            cause:
                "Something in it repeats without an end: look for what each turn of a loop keeps.")
    }

    private func awaitAnnouncement() throws(CheckFailure) -> UInt16 {
        var line: String?
        try wait(for: "the line `listening on 127.0.0.1:PORT` on standard output") {
            let text = String(decoding: self.process.standardOutput.prefix(256), as: UTF8.self)
            line = text.contains("\n") ? text.split(separator: "\n").first.map(String.init) : nil
            return line != nil
        }
        guard let line, let port = line.split(separator: ":").last.flatMap({ UInt16($0) }),
            line.hasPrefix("listening on "), port != 0
        else {
            throw CheckFailure(
                expected: "the line `listening on 127.0.0.1:PORT`",
                found: escaped(Array((line ?? "").utf8)),
                cause: "Port 0 means that the socket was never bound: bind(2) gives it its address."
            )
        }
        return port
    }
}
