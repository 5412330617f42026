// Exercise pselect-drain: a TCP echo server that, told to end, finishes what it has begun.
// Read chapters/03-select.md first. Try it with: swift test --filter PselectDrain

import CLinux
import Glibc
import Support
import Synchronization

/// Whether SIGTERM has come. A handler is given nothing but a number, so what it sets is global;
/// and it runs between any two instructions of the rest, so it is atomic.
let isToldToEnd = Atomic<Bool>(false)

/// Serves all clients in one thread until SIGTERM comes. Then it takes no more clients, sends what
/// is owed to those that it has, and returns.
///
/// - Parameter listener: A listening TCP socket, which is closed before the end.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: the loop of select-echo, without datagrams, around pselect(2). Look at the flag before
    // each wait. Once it is set: take who is in the backlog, close the listener, and from then on
    // return as soon as closeFinished has left no connection.
    unwritten("serve", chapter: "03-select")
    //< your part: serve
}

/// Has SIGTERM set the flag, and blocks it: from now on it comes only where it is let in.
///
/// - Returns: The mask for pselect: the signals that stay blocked in the wait. SIGTERM is not one.
/// - Throws: The `Errno` of the call that failed.
func catchSIGTERM() throws(Errno) -> sigset_t {
    //> your part: catchSIGTERM
    // TODO: block SIGTERM with sigprocmask(2); have a handler set the flag: sigaction(2).
    unwritten("catchSIGTERM", chapter: "03-select")
    //< your part: catchSIGTERM
}

/// Closes every connection on which nothing is unsent and nothing is unread.
func closeFinished(_ connections: inout [CInt: Connection]) {
    //> your part: closeFinished
    // TODO: close those that have nothing unsent and nothing unread, and forget them.
    unwritten("closeFinished", chapter: "03-select")
    //< your part: closeFinished
}

/// Whether bytes have come that nobody has read yet. To close a socket that has some breaks the
/// connection off, with a reset, and the peer loses what was still on its way to it.
///
/// See FIONREAD in tcp(7).
func hasUnread(_ socket: CInt) -> Bool {
    var count: CInt = 0
    return ioctl(socket, UInt(FIONREAD), &count) == 0 && count > 0
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what has
/// come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    // TODO: if the client has unsent bytes, send; otherwise receive. Close it when it is over.
    unwritten("proceed", chapter: "03-select")
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
///
/// - Returns: False when this process has no descriptor left. The rest stays in the backlog, so the
///   listener stays ready: do not ask for it again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    // TODO: take clients with acceptConnection until there is none; keep them in connections.
    // Close those whose descriptor does not fit into an fd_set: FD_SETSIZE.
    unwritten("acceptClients", chapter: "03-select")
    //< your part: acceptClients
}
