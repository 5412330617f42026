// Right: All sources and clients are edge-triggered, and are read until there is nothing left.

import CLinux
import Glibc
import Nonblocking
import Support

/// Opens all sources. Reading none of them ever waits: an event may be old news by then.
func openSources(_ room: Room) throws(Errno) -> Sources {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGUSR1, SIGUSR2, SIGRTMIN()] { sigaddset(&signals, signal) }
    sigprocmask(SIG_BLOCK, &signals, nil)
    let inbox = try opened("inotify_init1", inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC)))
    _ = try opened(
        "inotify_add_watch", inotify_add_watch(inbox, room.inbox, UInt32(IN_CREATE | IN_DELETE)))
    return Sources(
        timer: try opened(
            "timerfd_create", timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))),
        signals: try opened("signalfd", signalfd(-1, &signals, Int32(SFD_NONBLOCK | SFD_CLOEXEC))),
        counter: try opened("eventfd", eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))),
        inbox: inbox,
        fifo: try opened("open", open(room.fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC)),
        queue: try opened("mq_open", mq_open_create(room.queue, O_RDONLY | O_NONBLOCK, 0, nil)))
}

/// How often the timer has expired since it was read last: `timer 3`.
func readTimer(_ timer: CInt) -> [String] {
    var expirations: UInt64 = 0
    guard read(timer, &expirations, 8) == 8 else { return [] }
    return ["timer \(expirations)"]
}

/// A line for each signal that is pending: `signal SIGUSR1 from 1234`.
func readSignals(_ signals: CInt) -> [String] {
    let size = MemoryLayout<signalfd_siginfo>.size
    var infos = [signalfd_siginfo](repeating: signalfd_siginfo(), count: 16)
    let count = read(signals, &infos, infos.count * size)
    return infos.prefix(max(count, 0) / size).map {
        "signal \(signalName(CInt($0.ssi_signo))) from \($0.ssi_pid)"
    }
}

/// What has been added to the counter since it was read last: `counter 5`.
func readCounter(_ counter: CInt) -> [String] {
    var sum: UInt64 = 0
    guard read(counter, &sum, 8) == 8 else { return [] }
    return ["counter \(sum)"]
}

/// A line for each event in the inbox: `created NAME`, `deleted NAME`; `inbox overflow` when events
/// were lost, and `inbox gone` when the directory itself was deleted.
func readInbox(_ inbox: CInt, _ buffer: inout [UInt8]) -> [String] {
    let count = read(inbox, &buffer, buffer.count)
    var lines: [String] = []
    var start = 0
    while start < count {
        let event = buffer.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: start, as: inotify_event.self)
        }
        start += MemoryLayout<inotify_event>.size
        let name = buffer[start..<(start + Int(event.len))].prefix { $0 != 0 }
        start += Int(event.len)
        let text = String(decoding: name, as: UTF8.self)
        let mask = Int(event.mask)
        if mask & Int(IN_CREATE) != 0 { lines.append("created \(text)") }
        if mask & Int(IN_DELETE) != 0 { lines.append("deleted \(text)") }
        if mask & Int(IN_Q_OVERFLOW) != 0 { lines.append("inbox overflow") }
        if mask & Int(IN_IGNORED) != 0 { lines.append("inbox gone") }
    }
    return lines
}

/// A line for each line of the FIFO: `fifo TEXT`.
func readFifo(_ fifo: CInt, _ text: inout Lines, _ buffer: inout [UInt8]) -> [String] {
    let count = read(fifo, &buffer, buffer.count)
    return text.take(buffer[..<max(count, 0)]).map { "fifo \($0)" }
}

/// A line for each message, those of high priority first: `queue TEXT priority 2`.
func readQueue(_ queue: mqd_t) -> [String] {
    var message = [CChar](repeating: 0, count: 8192)
    var priority: UInt32 = 0
    var lines: [String] = []
    while true {
        let count = mq_receive(queue, &message, message.count, &priority)
        guard count != -1 else { return lines }  // EAGAIN: the queue is empty.
        let bytes = message.prefix(count).map { UInt8(bitPattern: $0) }
        lines.append("queue \(String(decoding: bytes, as: UTF8.self)) priority \(priority)")
    }
}

/// Obeys what a client has sent: `add N` raises the counter, `every MS` sets the timer's period.
func obey(_ command: String, _ sources: Sources) -> String? {
    let words = command.split(separator: " ")
    guard words.count == 2, var number = UInt64(words[1]) else { return "unknown \(command)" }
    switch words[0] {
    case "add":
        return write(sources.counter, &number, 8) == 8 ? nil : "full"
    case "every":
        let milliseconds = Int(min(number, 3_600_000))
        let period = timespec(
            tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var setting = itimerspec(it_interval: period, it_value: period)
        timerfd_settime(sources.timer, 0, &setting, nil)
        return nil
    default: return "unknown \(command)"
    }
}

/// Reads again and again, until a read has failed with EAGAIN: only then there will be a new edge.
private func untilEmpty(_ read: () -> [String]) -> [String] {
    var lines: [String] = []
    repeat {
        errno = 0
        lines += read()
    } while errno != EAGAIN
    return lines
}

/// The loop's own: what it waits with, and whom it tells.
struct ControlRoom {
    let listener: CInt
    let sources: Sources
    let epoll: CInt
    var clients: [CInt: Client] = [:]
    /// Whether clients have come or left since all were told how many there are.
    var isNumberNew = false
    /// Whether clients are left in the backlog because there is no room for more.
    var isFull = false

    /// Puts a descriptor into the interest list, or changes what is asked of it. See epoll_ctl(2).
    func watch(_ descriptor: CInt, _ operation: CInt, _ events: UInt32) throws(Errno) {
        var event = epoll_event()
        event.events = events | EPOLLET.rawValue
        event.data.fd = descriptor
        guard epoll_ctl(epoll, operation, descriptor, &event) != -1 else {
            throw Errno("epoll_ctl")
        }
    }

    /// Tries to watch a file, and says how it went: what each client is told first.
    func greeting(_ room: Room) throws(Errno) -> String {
        let file = try opened("open", open(room.notes, O_RDONLY | O_CLOEXEC))
        do throws(Errno) {
            try watch(file, EPOLL_CTL_ADD, EPOLLIN.rawValue)
            return "notes.txt is watched"
        } catch {
            close(file)
            return "notes.txt cannot be watched: \(error)"
        }
    }

    /// Watches and greets a client, or closes it if the list has no room for it (ENOSPC, ENOMEM).
    private mutating func admit(_ socket: CInt, _ greeting: String) {
        do throws(Errno) {
            try watch(socket, EPOLL_CTL_ADD, EPOLLIN.rawValue)
        } catch {
            close(socket)
            return
        }
        clients[socket] = Client(socket)
        isNumberNew = true
        tell([greeting], socket)
    }

    /// Takes every client that waits in the backlog, and greets it.
    mutating func acceptClients(_ greeting: String) throws(Errno) {
        while true {
            do throws(Errno) {
                while let connection = try acceptConnection(listener) {
                    admit(connection.socket, greeting)
                }
                return
            } catch {
                guard error.acceptFailure == .noRoom else { throw error }
                if clients.isEmpty {
                    // Nobody can leave, and no edge comes for this backlog again: try once more.
                    pauseForRoom()
                    continue
                }
                isFull = true
                return try watch(listener, EPOLL_CTL_MOD, 0)
            }
        }
    }

    /// Moves one client on when its socket is ready: obeys what has come, sends what is unsent.
    mutating func proceed(_ socket: CInt, _ buffer: inout [UInt8]) {
        guard clients[socket] != nil else { return }
        while clients[socket] != nil {
            guard let commands = clients[socket]?.receive(&buffer) else { return drop(socket) }
            tell(commands.compactMap { obey($0, sources) }, socket)
            var next: UInt8 = 0
            let count = recv(socket, &next, 1, Int32(MSG_PEEK))
            if count == -1 && errno == EAGAIN { return }
        }
    }

    /// Tells one client lines, and asks epoll for room as long as some of them are unsent.
    mutating func tell(_ lines: [String], _ socket: CInt) {
        guard let client = clients[socket] else { return }
        let stays = client.tell(lines)
        if stays, client.hasUnsent != client.asksForRoom {
            client.asksForRoom = client.hasUnsent
            let room = client.hasUnsent ? EPOLLOUT.rawValue : 0
            try? watch(socket, EPOLL_CTL_MOD, EPOLLIN.rawValue | room)
        }
        if !stays { drop(socket) }
    }

    /// Closes a client that has left, or that must go because it does not read.
    mutating func drop(_ socket: CInt) {
        clients[socket] = nil
        close(socket)
        isNumberNew = true
        if isFull { try? watch(listener, EPOLL_CTL_MOD, EPOLLIN.rawValue) }
        isFull = false
    }
}

/// Serves all sources and clients in one thread, forever.
func serve(_ listener: CInt, _ room: Room) throws(Errno) {
    try setNonblocking(listener)
    let sources = try openSources(room)
    var control = ControlRoom(
        listener: listener, sources: sources,
        epoll: try opened("epoll_create1", epoll_create1(Int32(EPOLL_CLOEXEC))))
    for descriptor in [
        listener, sources.timer, sources.signals, sources.counter, sources.inbox, sources.fifo,
        sources.queue,
    ] {
        try control.watch(descriptor, EPOLL_CTL_ADD, EPOLLIN.rawValue)
    }
    let greeting = try control.greeting(room)
    var fifoText = Lines()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    while true {
        let count = epoll_wait(control.epoll, &events, Int32(events.count), -1)
        guard count != -1 || errno == EINTR else { throw Errno("epoll_wait") }
        var lines: [String] = []
        var hasClient = false
        for event in events.prefix(Int(max(count, 0))) {
            switch event.data.fd {
            case listener: hasClient = true
            case sources.timer: lines += untilEmpty { readTimer(sources.timer) }
            case sources.signals: lines += untilEmpty { readSignals(sources.signals) }
            case sources.counter: lines += untilEmpty { readCounter(sources.counter) }
            case sources.inbox: lines += untilEmpty { readInbox(sources.inbox, &buffer) }
            case sources.fifo: lines += untilEmpty { readFifo(sources.fifo, &fifoText, &buffer) }
            case sources.queue: lines += untilEmpty { readQueue(sources.queue) }
            case let socket: control.proceed(socket, &buffer)
            }
        }
        if !lines.isEmpty { for socket in control.clients.keys { control.tell(lines, socket) } }
        if hasClient { try control.acceptClients(greeting) }
        while control.isNumberNew {
            control.isNumberNew = false
            let line = "clients \(control.clients.count)"
            for socket in control.clients.keys { control.tell([line], socket) }
        }
    }
}
