// Given: the names of what the control room watches, and how they come to be.

import CLinux
import Glibc
import Support

/// The things in the file system that a control room watches, all in one directory.
///
/// `epoll-sources PORT --room DIRECTORY` takes the directory. What is missing in it is made, and
/// stays there when the server has ended: it is yours. The message queue has its name from the
/// directory, because queues have a name space of their own: `/tmp/room` has the queue `/room`. See
/// mq_overview(7).
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

    /// Makes whatever of it is missing.
    func prepare() throws(Errno) {
        try require("mkdir", mkdir(directory, 0o700))
        try require("mkdir", mkdir(inbox, 0o700))
        try require("mkfifo", mkfifo(fifo, 0o600))
        let file = try opened("open", open(notes, O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
        close(file)
        // At most 10 messages of 256 bytes: without privilege, Linux allows no more than 10.
        var attributes = mq_attr()
        attributes.mq_maxmsg = 10
        attributes.mq_msgsize = 256
        let made = mq_open_create(queue, O_RDWR | O_CREAT, 0o600, &attributes)
        mq_close(try opened("mq_open", made))
    }

    private func require(_ call: String, _ result: CInt) throws(Errno) {
        guard result == 0 || errno == EEXIST else { throw Errno(call) }
    }
}

/// What the control room watches beside its listener and its clients: a descriptor for each.
struct Sources {
    let timer, signals, counter, inbox, fifo, queue: CInt
}

/// The descriptor that a call has given, unless it has failed: `try opened("eventfd", eventfd(0, 0))`.
func opened(_ call: String, _ descriptor: CInt) throws(Errno) -> CInt {
    guard descriptor != -1 else { throw Errno(call) }
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
