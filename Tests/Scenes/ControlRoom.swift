// SPDX-License-Identifier: MIT

import CLinux
import Glibc
public import Harness

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
        // /proc/PID/fd shows paths without symbolic links.
        guard let made = mkdtemp(&template), let path = realpath(made, nil) else {
            throw .machine("No directory in /tmp: \(errorText(errno)).")
        }
        directory = String(cString: path)
        free(path)
        do {
            try Self.requirePermission(for: directory)
            server = try run.startServer(
                arguments: ["--room", directory], openFiles: openFiles, trace: trace)
        } catch {
            Self.remove(directory)
            throw error
        }
    }

    deinit { Self.remove(directory) }

    /// Connects a client and waits until it has been greeted and counted.
    public func join() throws(CheckFailure) -> LineClient {
        let client = LineClient(try run.connect(server), server, run)
        clients.append(client)
        try client.expectGreeting()
        try expect("clients \(clients.count)")
        return client
    }

    /// A client comes, is greeted and counted, and leaves; the server has closed it when this returns.
    public func visit() throws(CheckFailure) {
        // It opens its sources after it has announced itself.
        try server.waitUntilParked()
        let before = server.proc.descriptors().count
        let client = try join()
        forget(client)
        client.tcp.close()
        try server.wait(for: "the client that has left to be closed") {
            self.server.proc.descriptors().count == before
        }
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
        if !quietly { run.transcript.add("a file is created in the inbox: \(shortened(name))") }
        let file = open("\(directory)/inbox/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file != -1 else { throw refusal("an inbox in which a file can be created", errno) }
        close(file)
    }

    /// Deletes a file in the inbox.
    public func delete(_ name: String, quietly: Bool = false) {
        if !quietly { run.transcript.add("a file is deleted in the inbox: \(shortened(name))") }
        unlink("\(directory)/inbox/\(name)")
    }

    private func shortened(_ text: String) -> String { escaped(Array(text.utf8), limit: 24) }

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
        run.transcript.add("a message of priority \(priority) is posted: \(shortened(text))")
        let name = Self.queueName(directory)
        let queue = mq_open_create(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0, nil)
        guard queue != -1 else { throw refusal("the message queue \(name)", errno) }
        defer { mq_close(queue) }
        let bytes = Array(text.utf8CString.dropLast())
        guard mq_send(queue, bytes, bytes.count, priority) == 0 else {
            throw refusal("room for a message in the queue \(name)", errno)
        }
    }

    /// The machine may be full; all else about what the server has made is the server's doing.
    private func refusal(_ expected: String, _ reason: CInt) -> CheckFailure {
        let full = [ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EROFS]
        if full.contains(reason) {
            return .machine("The machine has no room: \(errorText(reason)).")
        }
        return CheckFailure(expected: expected, found: errorText(reason))
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

    /// Waits until its timer, of which nothing has been read, has expired so many times. The kernel
    /// itself notes the first expiration only, and reckons the others when it is asked.
    public func waitForTicks(_ count: Int, period: Int) throws(CheckFailure) {
        run.transcript.add("the timer expires \(counted(count, "time")) meanwhile")
        try server.wait(for: "a timerfd that has expired") { (unreadTicks ?? 0) > 0 }
        let end = Deadline.nanoseconds() + UInt64((count - 1) * period) * 1_000_000
        try server.wait(for: "the timer to expire again") { Deadline.nanoseconds() > end }
    }

    /// Requires that it waits in epoll_wait, with its one thread, for as long as it takes.
    public func requireParked(cause: String? = nil) throws(CheckFailure) {
        run.transcript.add("the server is left alone")
        let cause =
            cause
            ?? "Something stays ready: what epoll tells of must be read, all of it, or be watched "
            + "no more."
        let threads: [ProcFS.Thread]
        do {
            threads = try server.waitUntilParked()
        } catch {
            throw CheckFailure(expected: error.expected, found: error.found, cause: cause)
        }
        guard let call = threads.first?.call, threads.count == 1,
            SystemCall.waitingInEpoll.contains(call.number), call.waitsForever
        else {
            throw CheckFailure(
                expected: "one thread that waits in epoll_wait, without a time limit",
                found: server.activity)
        }
    }

    /// Has each source but the timer tell something, one after the other.
    public func useEachSource(_ client: LineClient) throws(CheckFailure) {
        try client.send("add 8")
        try client.expect("counter 8")
        signal(SIGUSR1, "SIGUSR1")
        try client.expect("signal SIGUSR1 from \(getpid())")
        let name = "use-\(Deadline.nanoseconds())"
        try create(name)
        try client.expect("created \(name)")
        try post("message", priority: 3)
        try client.expect("queue message priority 3")
    }

    /// What its sources look like in /proc/PID/fd, and what they are called.
    public var sourceNames: [(target: String, name: String)] {
        [
            ("anon_inode:[timerfd]", "timerfd"), ("anon_inode:[signalfd]", "signalfd"),
            ("anon_inode:[eventfd]", "eventfd"), ("anon_inode:inotify", "inotify descriptor"),
            ("\(directory)/fifo", "FIFO"), (Self.queueName(directory), "message queue"),
        ]
    }

    /// A line of 4000 bytes with its newline, as a client is told it.
    public let longLine = "fifo " + String(repeating: "x", count: 3994)

    /// Writes 16 long lines into the FIFO, and has one client read them.
    /// - Returns: The bytes that each client is told by that.
    public func tellLongLines(
        _ writer: CInt, _ reader: LineClient
    ) throws(CheckFailure) -> Int {
        let line = longLine.dropFirst(5) + "\n"
        try write(String(repeating: String(line), count: 16), into: writer, quietly: true)
        let cause =
            "A client that does not read must hold nobody: a send to it must not wait, and what is "
            + "unsent is its own."
        for _ in 1...16 { try reader.read(longLine, cause: cause) }
        return 16 * (longLine.utf8.count + 1)
    }

    /// The server's descriptor of the connection to a client.
    public func descriptor(of client: LineClient) throws(CheckFailure) -> CInt {
        try server.socketDescriptor(
            SocketTable.connection(port: server.port, remotePort: client.tcp.port))
    }

    /// The bytes for a client that the kernel keeps, on both sides. See SIOCOUTQ in tcp(7).
    /// - Parameter socket: The server's descriptor of the connection.
    public func bytesInTheKernel(
        for client: LineClient, _ socket: CInt
    ) throws(CheckFailure) -> Int {
        try server.withCopy(of: socket) { copy throws(CheckFailure) in
            var count: CInt = 0
            guard ioctl(copy, UInt(SIOCOUTQ), &count) == 0 else {
                throw CheckFailure(
                    expected: "\(client.tcp.name)'s connection as descriptor \(socket)",
                    found: errorText(errno))
            }
            return Int(count) + client.tcp.waitingBytes
        }
    }

    /// The server's descriptor that leads to this, as /proc/PID/fd has it.
    public func descriptor(of target: String) -> CInt? {
        server.proc.descriptors().filter { $0.value == target }.keys.min()
    }

    /// Queues and watches are counted for each user, and a machine may have none left.
    private static func requirePermission(for directory: String) throws(CheckFailure) {
        var attributes = mq_attr()
        attributes.mq_maxmsg = 10
        attributes.mq_msgsize = 256
        let queue = mq_open_create(
            queueName(directory), O_RDWR | O_CREAT | O_CLOEXEC, 0o600, &attributes)
        guard queue != -1 else {
            throw .notVerified("This machine permits no message queue: \(errorText(errno)).")
        }
        mq_close(queue)
        let inotify = inotify_init1(Int32(IN_CLOEXEC))
        guard inotify != -1 else {
            throw .notVerified("This machine permits no inotify instance: \(errorText(errno)).")
        }
        close(inotify)
    }

    private static func queueName(_ directory: String) -> String {
        "/" + (directory.split(separator: "/").last ?? "")
    }

    private static func remove(_ directory: String) {
        mq_unlink(queueName(directory))
        for name in Harness.directory(directory + "/inbox") { unlink("\(directory)/inbox/\(name)") }
        rmdir(directory + "/inbox")
        unlink(directory + "/fifo")
        unlink(directory + "/notes.txt")
        rmdir(directory)
    }
}

extension SyscallTrace {
    /// What `serving` looks at, and the calls that a control room needs beyond it.
    public static var controlRoom: SyscallTrace {
        SyscallTrace(
            calls: servingCalls.union([
                SYS_epoll_pwait2, SYS_mq_timedreceive, SYS_timerfd_settime, SYS_timerfd_gettime,
            ]))
    }
}
