// Exercise epoll-sources: a control room. One loop around epoll watches a timer, signals, a
// counter, a directory, a FIFO, a message queue and TCP clients, and tells all clients the events.
// Read chapters/05-epoll-sources.md first. Try it with: swift test --filter EpollSources

import CLinux
import Glibc
import Nonblocking
import Support

/// Opens all sources. Reading none of them ever waits: an event may be old news by then.
///
/// - Parameter room: The names of the directory, the FIFO and the queue.
/// - Throws: The `Errno` of the call that failed.
func openSources(_ room: Room) throws(Errno) -> Sources {
    //> your part: openSources
    // Blocked, a signal stays pending until the descriptor is read. Otherwise it would end us.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGUSR1, SIGUSR2, SIGRTMIN()] { sigaddset(&signals, signal) }
    sigprocmask(SIG_BLOCK, &signals, nil)
    // The descriptor of inotify is a queue of events. Its watches say what goes into it.
    let inbox = try opened("inotify_init1", inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)))
    _ = try opened(
        "inotify_add_watch", inotify_add_watch(inbox, room.inbox, UInt32(IN_CREATE | IN_DELETE)))
    return Sources(
        timer: try opened(
            "timerfd_create", timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))),
        signals: try opened("signalfd", signalfd(-1, &signals, Int32(SFD_NONBLOCK | SFD_CLOEXEC))),
        counter: try opened("eventfd", eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))),
        inbox: inbox,
        // Also for writing: while we are a writer ourselves, the last writer never leaves. Opened
        // for reading only, it would be ready, with EPOLLHUP, until the next comes. See fifo(7).
        fifo: try opened("open", open(room.fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC)),
        // On Linux the descriptor of a queue is a file descriptor. See mq_overview(7).
        queue: try opened("mq_open", mq_open_create(room.queue, O_RDONLY | O_NONBLOCK, 0, nil)))
    //< your part: openSources
}

/// How often the timer has expired since it was read last: `timer 3`.
func readTimer(_ timer: CInt) -> [String] {
    //> your part: readTimer
    var expirations: UInt64 = 0
    // EAGAIN: the timer was set anew after epoll_wait had told of it. See timerfd_create(2).
    guard read(timer, &expirations, 8) == 8 else { return [] }
    return ["timer \(expirations)"]
    //< your part: readTimer
}

/// A line for each signal that is pending: `signal SIGUSR1 from 1234`.
func readSignals(_ signals: CInt) -> [String] {
    //> your part: readSignals
    let size = MemoryLayout<signalfd_siginfo>.size
    var infos = [signalfd_siginfo](repeating: signalfd_siginfo(), count: 16)
    let count = read(signals, &infos, infos.count * size)
    // What is not read now makes the descriptor ready again: epoll is level-triggered here.
    return infos.prefix(max(count, 0) / size).map {
        "signal \(signalName(CInt($0.ssi_signo))) from \($0.ssi_pid)"
    }
    //< your part: readSignals
}

/// What has been added to the counter since it was read last: `counter 5`.
func readCounter(_ counter: CInt) -> [String] {
    //> your part: readCounter
    var sum: UInt64 = 0
    // Reading sets it to 0 in the same moment: nothing is lost, nothing counts twice.
    guard read(counter, &sum, 8) == 8 else { return [] }
    return ["counter \(sum)"]
    //< your part: readCounter
}

/// A line for each event in the inbox: `created NAME`, `deleted NAME`; `inbox overflow` when events
/// were lost, and `inbox gone` when the directory itself was deleted.
func readInbox(_ inbox: CInt, _ buffer: inout [UInt8]) -> [String] {
    //> your part: readInbox
    let count = read(inbox, &buffer, buffer.count)
    var lines: [String] = []
    var start = 0
    while start < count {
        let event = buffer.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: start, as: inotify_event.self)
        }
        // The name follows the event, with NULs up to `len`: so no two events need be equally long.
        start += MemoryLayout<inotify_event>.size
        let name = buffer[start..<(start + Int(event.len))].prefix { $0 != 0 }
        start += Int(event.len)
        let text = String(decoding: name, as: UTF8.self)
        let mask = Int(event.mask)
        if mask & Int(IN_CREATE) != 0 { lines.append("created \(text)") }
        if mask & Int(IN_DELETE) != 0 { lines.append("deleted \(text)") }
        if mask & Int(IN_Q_OVERFLOW) != 0 { lines.append("inbox overflow") }
        // The kernel has removed the watch: its directory is gone. See inotify(7).
        if mask & Int(IN_IGNORED) != 0 { lines.append("inbox gone") }
    }
    return lines
    //< your part: readInbox
}

/// A line for each line of the FIFO: `fifo TEXT`.
func readFifo(_ fifo: CInt, _ text: inout Lines, _ buffer: inout [UInt8]) -> [String] {
    //> your part: readFifo
    let count = read(fifo, &buffer, buffer.count)
    return text.take(buffer[..<max(count, 0)]).map { "fifo \($0)" }
    //< your part: readFifo
}

/// A line for each message, those of high priority first: `queue TEXT priority 2`.
func readQueue(_ queue: mqd_t) -> [String] {
    //> your part: readQueue
    // Room for the longest message that the queue may have, or the call gives EMSGSIZE.
    var message = [CChar](repeating: 0, count: 8192)
    var priority: UInt32 = 0
    var lines: [String] = []
    while true {
        let count = mq_receive(queue, &message, message.count, &priority)
        guard count != -1 else { return lines }  // EAGAIN: the queue is empty.
        let bytes = message.prefix(count).map { UInt8(bitPattern: $0) }
        lines.append("queue \(String(decoding: bytes, as: UTF8.self)) priority \(priority)")
    }
    //< your part: readQueue
}

/// Obeys what a client has sent: `add N` raises the counter, `every MS` sets the timer's period.
///
/// - Returns: What this client alone is told, if anything: `full` when N does not fit into the
///   counter, `unknown COMMAND`.
func obey(_ command: String, _ sources: Sources) -> String? {
    //> your part: obey
    let words = command.split(separator: " ")
    guard words.count == 2, var number = UInt64(words[1]) else { return "unknown \(command)" }
    switch words[0] {
    case "add":
        // EAGAIN: the sum would not fit. A counter that waits would wait for us, its only reader.
        return write(sources.counter, &number, 8) == 8 ? nil : "full"
    case "every":
        let milliseconds = Int(min(number, 3_600_000))
        let period = timespec(
            tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        // 0 stops it. Expirations that nobody has read are forgotten in both cases.
        var setting = itimerspec(it_interval: period, it_value: period)
        timerfd_settime(sources.timer, 0, &setting, nil)
        return nil
    default: return "unknown \(command)"
    }
    //< your part: obey
}

/// The loop's own: what it waits with, and whom it tells.
struct ControlRoom {
    let listener: CInt
    let sources: Sources
    let epoll: CInt
    var clients: [CInt: Client] = [:]
    /// Whether clients have come or left since all were told how many there are.
    var isNumberNew = false
    /// Whether clients are left in the backlog because this process has no descriptor left.
    var isFull = false

    /// Tries to watch a file, and says how it went: what each client is told first.
    func greeting(_ room: Room) throws(Errno) -> String {
        //> your part: greeting
        let file = try opened("open", open(room.notes, O_RDONLY | O_CLOEXEC))
        do throws(Errno) {
            try watch(epoll, EPOLL_CTL_ADD, file, for: EPOLLIN.rawValue)
            return "notes.txt is watched"
        } catch {
            // EPERM: its bytes are always there, so there is nothing that epoll could wait for.
            close(file)
            return "notes.txt cannot be watched: \(error)"
        }
        //< your part: greeting
    }

    /// Takes every client that waits in the backlog, and greets it. Without room for some of them
    /// the listener is watched for nothing until a client has left.
    ///
    /// - Throws: The `Errno` of accept, if the listener itself is broken.
    mutating func acceptClients(_ greeting: String) throws(Errno) {
        //> your part: acceptClients
        do throws(Errno) {
            while let socket = try acceptConnection(listener)?.socket {
                do throws(Errno) {
                    try watch(epoll, EPOLL_CTL_ADD, socket, for: EPOLLIN.rawValue)
                    clients[socket] = Client(socket)
                    isNumberNew = true
                    tell([greeting], socket)
                } catch {
                    // ENOSPC, ENOMEM: the kernel has no room for the entry.
                    note("client \(socket): \(error)")
                    close(socket)
                }
            }
        } catch {
            guard error.acceptFailure == .noRoom else { throw error }
            // Without a client that could leave, nothing will tell when there is room again.
            if clients.isEmpty { return pauseForRoom() }
            isFull = true
            try watch(epoll, EPOLL_CTL_MOD, listener, for: 0)
        }
        //< your part: acceptClients
    }

    /// Moves one client on when its socket is ready: obeys what has come, sends what is unsent.
    mutating func proceed(_ socket: CInt, _ buffer: inout [UInt8]) {
        //> your part: proceed
        // The client may have been dropped since epoll_wait named it.
        guard let client = clients[socket] else { return }
        guard let commands = client.receive(&buffer) else { return drop(socket) }
        // With nothing to tell, this sends what is unsent.
        tell(commands.compactMap { obey($0, sources) }, socket)
        //< your part: proceed
    }

    /// Tells one client lines, and asks epoll for room as long as some of them are unsent.
    mutating func tell(_ lines: [String], _ socket: CInt) {
        //> your part: tell
        guard let client = clients[socket] else { return }
        guard client.tell(lines) else { return drop(socket) }
        if client.hasUnsent == client.asksForRoom { return }
        client.asksForRoom = client.hasUnsent
        let room = client.hasUnsent ? EPOLLOUT.rawValue : 0
        try? watch(epoll, EPOLL_CTL_MOD, socket, for: EPOLLIN.rawValue | room)
        //< your part: tell
    }

    /// Closes a client that has left, or that must go because it does not read.
    mutating func drop(_ socket: CInt) {
        //> your part: drop
        clients[socket] = nil
        // The list forgets it too: this was the only descriptor of the connection.
        close(socket)
        isNumberNew = true
        // Now there is a descriptor for the next one.
        if isFull { try? watch(epoll, EPOLL_CTL_MOD, listener, for: EPOLLIN.rawValue) }
        isFull = false
        //< your part: drop
    }
}

/// Serves all sources and clients in one thread, forever.
///
/// - Parameters:
///   - listener: A listening TCP socket.
///   - room: What is to be watched.
/// - Throws: The `Errno` of a call that shows that a descriptor of the server's own is broken.
func serve(_ listener: CInt, _ room: Room) throws(Errno) {
    //> your part: serve
    try setNonblocking(listener)
    let sources = try openSources(room)
    var control = ControlRoom(
        listener: listener, sources: sources,
        epoll: try opened("epoll_create1", epoll_create1(Int32(EPOLL_CLOEXEC))))
    for descriptor in [
        listener, sources.timer, sources.signals, sources.counter, sources.inbox, sources.fifo,
        sources.queue,
    ] {
        try watch(control.epoll, EPOLL_CTL_ADD, descriptor, for: EPOLLIN.rawValue)
    }
    let greeting = try control.greeting(room)
    var fifoText = Lines()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    while true {
        let count = epoll_wait(control.epoll, &events, CInt(events.count), -1)
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("epoll_wait")
        }
        var lines: [String] = []
        var hasClient = false
        for event in events.prefix(Int(count)) {
            switch event.data.fd {
            case listener: hasClient = true
            case sources.timer: lines += readTimer(sources.timer)
            case sources.signals: lines += readSignals(sources.signals)
            case sources.counter: lines += readCounter(sources.counter)
            case sources.inbox: lines += readInbox(sources.inbox, &buffer)
            case sources.fifo: lines += readFifo(sources.fifo, &fifoText, &buffer)
            case sources.queue: lines += readQueue(sources.queue)
            case let socket: control.proceed(socket, &buffer)
            }
        }
        if !lines.isEmpty { for socket in control.clients.keys { control.tell(lines, socket) } }
        // Newcomers come last: a descriptor closed above may come back here, and its event is old.
        if hasClient { try control.acceptClients(greeting) }
        // To tell the number may show that one more is gone. Then it is another number.
        while control.isNumberNew {
            control.isNumberNew = false
            let line = "clients \(control.clients.count)"
            for socket in control.clients.keys { control.tell([line], socket) }
        }
    }
    //< your part: serve
}
