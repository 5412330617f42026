// Given: the names of what the control room watches, and how they come to be.

import CLinux
import Glibc
import Support

/// The things in the file system that a control room watches, all in one directory.
///
/// `epoll-sources PORT DIRECTORY` takes the directory; without it a new one is made in /tmp. The
/// message queue has its name from the directory, because queues have a name space of their own:
/// `/tmp/room` has the queue `/room`. See mq_overview(7).
struct Room: Sendable {
    /// The directory that all of it lies in.
    let directory: String

    /// A directory in which files come and go.
    var inbox: String { directory + "/inbox" }
    /// A named pipe. Whoever opens it can write lines into it. See fifo(7).
    var fifo: String { directory + "/fifo" }
    /// A regular file.
    var notes: String { directory + "/notes.txt" }
    /// The name of the message queue.
    var queue: String { "/" + (directory.split(separator: "/").last ?? "room") }

    /// The room of the command line. `--post DIRECTORY PRIORITY TEXT` puts a message into the queue
    /// of that room instead, and ends the program: no command of the shell can do that.
    static func fromArguments() -> Room {
        let words = CommandLine.arguments
        if words.count == 5, words[1] == "--post", let priority = UInt32(words[3]) {
            post(words[4], priority, to: Room(directory: words[2]).queue)
        }
        if words.count > 2 { return Room(directory: words[2]) }
        var template = Array("/tmp/epoll-sources-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { return Room(directory: "/tmp/epoll-sources") }
        note("the control room is in \(String(cString: made))")
        return Room(directory: String(cString: made))
    }

    /// Makes whatever of it is missing.
    func prepare() throws(Errno) {
        try require(mkdir(directory, 0o700))
        try require(mkdir(inbox, 0o700))
        try require(mkfifo(fifo, 0o600))
        let file = open(notes, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file != -1 else { throw .current }
        close(file)
        // At most 10 messages of 256 bytes: without privilege, Linux allows no more than 10.
        var attributes = mq_attr()
        attributes.mq_maxmsg = 10
        attributes.mq_msgsize = 256
        let made = mq_open_create(queue, O_RDWR | O_CREAT, 0o600, &attributes)
        guard made != -1 else { throw .current }
        mq_close(made)
    }

    private func require(_ result: CInt) throws(Errno) {
        guard result == 0 || errno == EEXIST else { throw .current }
    }

    private static func post(_ text: String, _ priority: UInt32, to name: String) -> Never {
        let queue = mq_open_create(name, O_WRONLY, 0, nil)
        let bytes = Array(text.utf8CString.dropLast())
        guard queue != -1, mq_send(queue, bytes, bytes.count, priority) != -1 else {
            note("\(name): \(Errno.current)")
            exit(1)
        }
        exit(0)
    }
}

/// What the control room watches beside its listener and its clients: a descriptor for each.
struct Sources {
    let timer, signals, counter, inbox, fifo, queue: CInt
}

/// The descriptor that a call has given, unless it has failed: `try opened(eventfd(0, 0))`.
func opened(_ descriptor: CInt) throws(Errno) -> CInt {
    guard descriptor != -1 else { throw .current }
    return descriptor
}

/// A signal's name, for the three that the control room watches. SIGRTMIN is the first of the
/// real-time signals. See signal(7).
func signalName(_ number: CInt) -> String {
    switch number {
    case SIGUSR1: "SIGUSR1"
    case SIGUSR2: "SIGUSR2"
    case SIGRTMIN(): "SIGRTMIN"
    default: "\(number)"
    }
}
