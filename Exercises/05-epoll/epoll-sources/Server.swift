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
    // TODO: make the six descriptors, none of which waits. Block the signals first.
    // The calls: timerfd_create(2), signalfd(2), eventfd(2), inotify_init1(2),
    // inotify_add_watch(2), open(2), mq_open_create.
    // What must the FIFO be opened for, so that it never ends? See fifo(7).
    unwritten("openSources", chapter: "05-epoll-sources")
    //< your part: openSources
}

/// How often the timer has expired since it was read last: `timer 3`.
func readTimer(_ timer: CInt) -> [String] {
    //> your part: readTimer
    // TODO: read(2) gives 8 bytes, the number of expirations.
    unwritten("readTimer", chapter: "05-epoll-sources")
    //< your part: readTimer
}

/// A line for each signal that is pending: `signal SIGUSR1 from 1234`.
func readSignals(_ signals: CInt) -> [String] {
    //> your part: readSignals
    // TODO: read(2) gives as many signalfd_siginfo as there are and fit.
    unwritten("readSignals", chapter: "05-epoll-sources")
    //< your part: readSignals
}

/// What has been added to the counter since it was read last: `counter 5`.
func readCounter(_ counter: CInt) -> [String] {
    //> your part: readCounter
    // TODO: read(2) gives 8 bytes, and sets the counter to 0.
    unwritten("readCounter", chapter: "05-epoll-sources")
    //< your part: readCounter
}

/// A line for each event in the inbox: `created NAME`, `deleted NAME`; `inbox overflow` when events
/// were lost, and `inbox gone` when the directory itself was deleted.
func readInbox(_ inbox: CInt, _ buffer: inout [UInt8]) -> [String] {
    //> your part: readInbox
    // TODO: read(2) gives events back to back, each with its name: inotify(7).
    // A lost event is told as IN_Q_OVERFLOW, a directory that is gone as IN_IGNORED.
    unwritten("readInbox", chapter: "05-epoll-sources")
    //< your part: readInbox
}

/// A line for each line of the FIFO: `fifo TEXT`.
func readFifo(_ fifo: CInt, _ text: inout Lines, _ buffer: inout [UInt8]) -> [String] {
    //> your part: readFifo
    // TODO: read(2) what has come, and let `text` make lines of it.
    unwritten("readFifo", chapter: "05-epoll-sources")
    //< your part: readFifo
}

/// A line for each message, those of high priority first: `queue TEXT priority 2`.
func readQueue(_ queue: mqd_t) -> [String] {
    //> your part: readQueue
    // TODO: mq_receive(3) until the queue is empty.
    unwritten("readQueue", chapter: "05-epoll-sources")
    //< your part: readQueue
}

/// Obeys what a client has sent: `add N` raises the counter, `every MS` sets the timer's period.
///
/// - Returns: What this client alone is told, if anything: `full` when N does not fit into the
///   counter, `unknown COMMAND`.
func obey(_ command: String, _ sources: Sources) -> String? {
    //> your part: obey
    // TODO: write(2) the number into the eventfd, or set the period with timerfd_settime(2).
    unwritten("obey", chapter: "05-epoll-sources")
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
        // TODO: open the file and try to watch it: `notes.txt is watched`, or
        // `notes.txt cannot be watched: ` and the Errno.
        unwritten("greeting", chapter: "05-epoll-sources")
        //< your part: greeting
    }

    /// Takes every client that waits in the backlog, and greets it. Without room for some of them
    /// the listener is watched for nothing until a client has left.
    ///
    /// - Throws: The `Errno` of accept, if the listener itself is broken.
    mutating func acceptClients(_ greeting: String) throws(Errno) {
        //> your part: acceptClients
        // TODO: acceptConnection until it gives nil. Watch each client, keep it, greet it; close it
        // if the list has no room for it. Without room for a client (`acceptFailure`) the listener
        // must not be watched until one has left; if there is none at all, pauseForRoom.
        unwritten("acceptClients", chapter: "05-epoll-sources")
        //< your part: acceptClients
    }

    /// Moves one client on when its socket is ready: obeys what has come, sends what is unsent.
    mutating func proceed(_ socket: CInt, _ buffer: inout [UInt8]) {
        //> your part: proceed
        // TODO: receive and obey, tell the answers, send what is unsent; drop who has left.
        unwritten("proceed", chapter: "05-epoll-sources")
        //< your part: proceed
    }

    /// Tells one client lines, and asks epoll for room as long as some of them are unsent.
    mutating func tell(_ lines: [String], _ socket: CInt) {
        //> your part: tell
        // TODO: give the client the lines, and watch for room, EPOLLOUT, while some are unsent.
        // A client that does not stay is dropped.
        unwritten("tell", chapter: "05-epoll-sources")
        //< your part: tell
    }

    /// Closes a client that has left, or that must go because it does not read.
    mutating func drop(_ socket: CInt) {
        //> your part: drop
        // TODO: forget the client and close its socket. If the listener was not watched, watch it.
        unwritten("drop", chapter: "05-epoll-sources")
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
    // TODO: open everything, then wait in epoll_wait, read what is ready, and tell all clients.
    // After each change of their number, tell all: `clients 3`.
    unwritten("serve", chapter: "05-epoll-sources")
    //< your part: serve
}
