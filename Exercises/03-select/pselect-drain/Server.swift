// Exercise pselect-drain: a TCP echo server that, told to end, finishes what it has begun.
// Read chapters/03-select.md first. Try it with: swift test --filter PselectDrain

import CLinux
import Glibc
import Nonblocking
import Support
import Synchronization

/// Whether SIGTERM has come. A handler is given nothing but a number, so what it sets is global;
/// and it runs between any two instructions of the rest, so it is atomic.
let isToldToEnd = Atomic<Bool>(false)

/// Serves all clients in one thread until SIGTERM comes. Then it takes those that have connected
/// already and no more, sends all of them what is unsent, and returns.
///
/// - Parameter listener: A listening TCP socket, which is closed before the end.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: the loop of select-echo, without datagrams, around pselect(2). Before each wait look at
    // the flag, and at the pending signals: while a socket is ready, pselect lets none in. Told to
    // end, take who is in the backlog, and close the listener when all of them are taken. From then
    // on return as soon as closeFinished has left no connection.
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

/// Whether SIGTERM has come while it was blocked, and still waits to be let in. See sigpending(2).
func isSIGTERMPending() -> Bool {
    var pending = sigset_t()
    return sigpending(&pending) != -1 && sigismember(&pending, SIGTERM) == 1
}

/// Closes every connection on which nothing is unsent and nothing is unread.
///
/// - Returns: Whether it has closed any.
func closeFinished(_ connections: inout [CInt: Connection]) -> Bool {
    //> your part: closeFinished
    // TODO: close those that have nothing unsent and nothing unread, and forget them.
    unwritten("closeFinished", chapter: "03-select")
    //< your part: closeFinished
}

/// Whether bytes have come that nobody has read yet. To close a socket that has some resets the
/// connection, and the peer loses what was still on its way to it.
///
/// See FIONREAD in tcp(7).
func hasUnread(_ socket: CInt) -> Bool {
    var count: CInt = 0
    return ioctl(socket, UInt(FIONREAD), &count) == 0 && count > 0
}

// Given: what follows is as in select-echo.

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what
/// has come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    if connections[socket]?.proceed(&buffer) == true { return true }
    // A closed descriptor must leave the sets: select would fail with EBADF from now on.
    connections[socket] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog.
///
/// - Returns: Whether there was no room for some of them. They stay in the backlog, so accept would
///   fail again at once: leave it alone until a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            // An fd_set has FD_SETSIZE bits, 1024. C would write the next one beyond its end.
            if connection.socket < FD_SETSIZE {
                connections[connection.socket] = connection
            } else {
                note("client \(connection.socket) does not fit into an fd_set")
                close(connection.socket)
            }
        }
        return false
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        // Without a client that could leave, nothing will tell when there is room again.
        if connections.isEmpty { pauseForRoom() }
        return !connections.isEmpty
    }
}
