// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// A server of epoll-sources, its clients, and what it watches, used from outside.
public final class ControlRoom {
    /// The server.
    public let server: ServerProcess
    /// The directory that holds all it watches, and that is gone when the check has ended.
    public let directory: String
    private let run: CheckRun
    private var clients: [LineClient] = []

    /// Starts the server with a directory of its own.
    public init(
        _ run: CheckRun, openFiles: UInt? = nil, trace: SyscallTrace? = nil
    ) throws(CheckFailure) {
        self.run = run
        var template = Array("/tmp/workbook-room-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw .machine("No directory in /tmp: \(errorText(errno)).")
        }
        directory = String(cString: made)
        do {
            server = try run.startServer(arguments: [directory], openFiles: openFiles, trace: trace)
        } catch {
            Self.remove(directory)
            throw error
        }
    }

    deinit { Self.remove(directory) }

    /// Connects a client and waits until it has been greeted and counted.
    public func join() throws(CheckFailure) -> LineClient {
        let client = LineClient(try run.connect(server), run)
        clients.append(client)
        try client.expectGreeting()
        try expect("clients \(clients.count)")
        return client
    }

    /// Forgets a client that the check closes: it is told nothing more.
    public func forget(_ client: LineClient) { clients.removeAll { $0 === client } }

    /// Requires that all its clients are told this line next.
    public func expect(_ line: String) throws(CheckFailure) {
        for client in clients { try client.expect(line) }
    }

    // MARK: The sources, from outside

    /// Makes a file in the inbox.
    public func create(_ name: String, quietly: Bool = false) throws(CheckFailure) {
        if !quietly { run.transcript.add("a file is created in the inbox: \(name)") }
        let file = open("\(directory)/inbox/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file != -1 else { throw .machine("No file in the inbox: \(errorText(errno)).") }
        close(file)
    }

    /// Deletes a file in the inbox.
    public func delete(_ name: String, quietly: Bool = false) {
        if !quietly { run.transcript.add("a file is deleted in the inbox: \(name)") }
        unlink("\(directory)/inbox/\(name)")
    }

    /// Deletes the inbox, which must be empty.
    public func removeInbox() {
        run.transcript.add("the inbox itself is deleted")
        rmdir("\(directory)/inbox")
    }

    /// Opens the FIFO for writing, as a program of its own would.
    public func openFifo() throws(CheckFailure) -> CInt {
        let writer = open("\(directory)/fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        guard writer != -1 else {
            throw CheckFailure(
                expected: "a server that has the FIFO open for reading",
                found: "nobody has: \(errorText(errno)). \(server.activity)")
        }
        run.transcript.add("a writer opens the FIFO")
        return writer
    }

    /// Writes into the FIFO, waiting for room as long as the server reads.
    public func write(
        _ text: String, into writer: CInt, quietly: Bool = false
    ) throws(CheckFailure) {
        let bytes = Array(text.utf8)
        if !quietly { run.transcript.add("it writes \(escaped(bytes))") }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.write(writer, $0.baseAddress, $0.count)
            }
            if count > 0 { written += count }
            guard count == -1 else { continue }
            guard errno == EAGAIN else {
                throw CheckFailure(
                    expected: "a server that has the FIFO open for reading",
                    found: "nobody has any more: \(errorText(errno)). \(server.activity)")
            }
            try server.wait(for: "room in the FIFO") {
                var entry = pollfd(fd: writer, events: Int16(POLLOUT), revents: 0)
                return poll(&entry, 1, 0) == 1
            }
        }
    }

    /// Closes a writer of the FIFO.
    public func leaveFifo(_ writer: CInt) {
        run.transcript.add("the writer closes the FIFO")
        close(writer)
    }

    /// Puts a message into the queue.
    public func post(_ text: String, priority: UInt32) throws(CheckFailure) {
        run.transcript.add("a message of priority \(priority) is posted: \(text)")
        let name = "/" + (directory.split(separator: "/").last ?? "")
        let queue = mq_open_create(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0, nil)
        guard queue != -1 else { throw .machine("No queue \(name): \(errorText(errno)).") }
        defer { mq_close(queue) }
        let bytes = Array(text.utf8CString.dropLast())
        guard mq_send(queue, bytes, bytes.count, priority) == 0 else {
            throw .machine("No message could be posted to \(name): \(errorText(errno)).")
        }
    }

    /// Sends the server a signal, several times at once.
    public func signal(_ number: CInt, _ name: String, times: Int = 1) {
        run.transcript.add(
            times == 1 ? "\(name) is sent" : "\(name) is sent \(times) times")
        for _ in 0..<times { kill(server.proc.pid, number) }
    }

    /// Stops the server for the length of `body`: what happens in it has happened when it goes on.
    public func whileStopped(_ body: () throws(CheckFailure) -> Void) throws(CheckFailure) {
        try server.waitUntilParked()
        run.transcript.add("the server is stopped (SIGSTOP)")
        try server.send(SIGSTOP)
        try body()
        run.transcript.add("the server goes on (SIGCONT)")
        try server.send(SIGCONT)
    }

    /// The expirations of its timer that it has not read. See proc_pid_fdinfo(5).
    public var unreadTicks: Int? {
        guard let timer = descriptor(of: "anon_inode:[timerfd]"),
            let text = readFile("/proc/\(server.proc.pid)/fdinfo/\(timer)")
        else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("ticks:") }
        return line.flatMap { Int($0.dropFirst(6).drop { $0 == " " }) }
    }

    /// The server's descriptor that leads to this, as /proc/PID/fd has it.
    public func descriptor(of target: String) -> CInt? {
        server.proc.descriptors().filter { $0.value == target }.keys.min()
    }

    private static func remove(_ directory: String) {
        mq_unlink("/" + (directory.split(separator: "/").last ?? ""))
        for name in Harness.directory(directory + "/inbox") { unlink("\(directory)/inbox/\(name)") }
        rmdir(directory + "/inbox")
        unlink(directory + "/fifo")
        unlink(directory + "/notes.txt")
        rmdir(directory)
    }
}

/// A client that sends commands and is told lines.
public final class LineClient {
    /// The connection.
    public let tcp: TCPClient
    private let run: CheckRun
    private var bytes: [UInt8] = []
    private var start = 0

    init(_ tcp: TCPClient, _ run: CheckRun) {
        self.tcp = tcp
        self.run = run
    }

    /// Sends a command, or several in one piece.
    public func send(_ commands: String...) throws(CheckFailure) {
        try tcp.send(Array(commands.map { $0 + "\n" }.joined().utf8))
    }

    /// The next line, without its newline.
    /// - Parameter what: What it should be, as a noun: `the line "counter 5"`.
    public func line(_ what: String) throws(CheckFailure) -> String {
        while true {
            if let end = bytes[start...].firstIndex(of: 0x0a) {
                defer { start = end + 1 }
                return String(decoding: bytes[start..<end], as: UTF8.self)
            }
            bytes.removeFirst(start)
            start = 0
            let more = try tcp.receiveSome(atMost: 1 << 16) { "\(what) for \(tcp.name)" }
            guard !more.isEmpty else {
                throw CheckFailure(
                    expected: "\(what) for \(tcp.name)",
                    found: "the end of the connection. \(run.aftermath.first ?? "")")
            }
            bytes += more
        }
    }

    /// Requires that this line comes next.
    public func expect(_ line: String) throws(CheckFailure) {
        let words = "the line \(escaped(Array(line.utf8), limit: 60))"
        run.transcript.add("\(tcp.name) waits for \(words)")
        let found = try self.line(words)
        guard found == line else {
            throw CheckFailure(
                expected: "\(words) for \(tcp.name)",
                found: "the line \(escaped(Array(found.utf8), limit: 60))")
        }
    }

    /// Requires that these lines come next, in any order.
    public func expect(inAnyOrder lines: [String]) throws(CheckFailure) {
        run.transcript.add("\(tcp.name) waits for \(counted(lines.count, "line")), in any order")
        var missing = lines
        while !missing.isEmpty {
            let words =
                missing.count == 1
                ? "the line \"\(missing[0])\"" : "the lines \(missing.map { "\"\($0)\"" })"
            let found = try line(words)
            guard let index = missing.firstIndex(of: found) else {
                throw CheckFailure(
                    expected: "\(words) for \(tcp.name)",
                    found: "the line \(escaped(Array(found.utf8), limit: 60))")
            }
            missing.remove(at: index)
        }
    }

    /// Requires the first line that a client gets: that a regular file cannot be watched.
    public func expectGreeting() throws(CheckFailure) {
        try expect("notes.txt cannot be watched: Operation not permitted (errno 1)")
    }
}
