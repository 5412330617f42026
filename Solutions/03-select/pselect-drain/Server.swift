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
    var maskInTheWait = try catchSIGTERM()
    try setNonblocking(listener)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var isFull = false
    var isDraining = false
    var isListening = true
    while true {
        // SIGTERM is blocked everywhere but in pselect. It cannot come between this look at the
        // flag and the wait: it stays pending, and pselect, which lets it in, fails at once. While
        // a socket is ready, pselect lets no signal in: then only the pending ones tell.
        if isToldToEnd.load(ordering: .relaxed) || isSIGTERMPending() { isDraining = true }
        if isDraining {
            repeat {
                // Whoever is in the backlog is connected, and closing the listener would reset
                // them: it stays open until there was room for all.
                if isListening {
                    isListening = try acceptClients(listener, &connections)
                    if !isListening { close(listener) }
                }
            } while closeFinished(&connections) && isListening
            if connections.isEmpty { return }
        }
        var readable = fd_set()
        var writable = fd_set()
        let mayAccept = !isDraining && !isFull
        if mayAccept { FD_SET(listener, &readable) }
        for (socket, connection) in connections {
            // A socket is nearly always writable: ask for that only while bytes are unsent.
            if connection.hasUnsent { FD_SET(socket, &writable) } else { FD_SET(socket, &readable) }
        }
        let highest = max(mayAccept ? listener : 0, connections.keys.max() ?? 0)
        guard pselect(highest + 1, &readable, &writable, nil, nil, &maskInTheWait) != -1 else {
            if errno == EINTR { continue }  // The sets mean nothing now. The flag may.
            throw Errno("pselect")
        }
        let ready = connections.keys.filter {
            FD_ISSET($0, &readable) != 0 || FD_ISSET($0, &writable) != 0
        }
        for socket in ready where !proceed(socket, &connections, &buffer) { isFull = false }
        if mayAccept && FD_ISSET(listener, &readable) != 0 {
            isFull = try acceptClients(listener, &connections)
        }
    }
    //< your part: serve
}

/// Has SIGTERM set the flag, and blocks it: from now on it comes only where it is let in.
///
/// - Returns: The mask for pselect: the signals that stay blocked in the wait. SIGTERM is not one.
/// - Throws: The `Errno` of the call that failed.
func catchSIGTERM() throws(Errno) -> sigset_t {
    //> your part: catchSIGTERM
    // Swift sets a global up when it is first used, under a lock. That must not be in the handler.
    isToldToEnd.store(false, ordering: .relaxed)
    var terminate = sigset_t()
    var maskInTheWait = sigset_t()
    sigemptyset(&terminate)
    sigaddset(&terminate, SIGTERM)
    // Blocked first and caught then: it never comes at a moment at which nobody looks at the flag.
    guard sigprocmask(SIG_BLOCK, &terminate, &maskInTheWait) != -1 else {
        throw Errno("sigprocmask")
    }
    sigdelset(&maskInTheWait, SIGTERM)
    var action = sigaction()
    // No print, no String, no Array in a handler: it may have interrupted the code behind them.
    action.__sigaction_handler.sa_handler = { _ in isToldToEnd.store(true, ordering: .relaxed) }
    guard sigaction(SIGTERM, &action, nil) != -1 else { throw Errno("sigaction") }
    return maskInTheWait
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
    let finished = connections.values.filter { !$0.hasUnsent && !hasUnread($0.socket) }
    for connection in finished {
        connections[connection.socket] = nil
        close(connection.socket)
    }
    return !finished.isEmpty
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
