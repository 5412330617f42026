// Right: a sig_atomic_t flag, pthread_sigmask, SIGINT as well, an empty mask in the wait.

import CLinux
import Glibc
import Nonblocking
import Support

/// Whether SIGTERM has come. A handler is given nothing but a number, so what it sets is global;
/// and it runs between any two instructions of the rest, so it is atomic.
nonisolated(unsafe) var isToldToEnd: sig_atomic_t = 0

/// Serves all clients in one thread until SIGTERM comes. Then it takes no more clients, sends what
/// is owed to those that it has, and returns.
///
/// - Parameter listener: A listening TCP socket, which is closed before the end.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    var maskInTheWait = try catchSIGTERM()
    try setNonblocking(listener)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var isFull = false
    var isDraining = false
    var isListening = true
    while true {
        // While a socket is ready, pselect lets no signal in: then only the pending ones tell.
        if isToldToEnd != 0 || isOnePending() { isDraining = true }
        while isDraining && isListening {
            // To close the listener resets those in the backlog: first there must be room for all.
            isListening = try !acceptClients(listener, &connections)
            if !isListening { close(listener) }
            let before = connections.count
            closeFinished(&connections)
            if connections.count == before && before > 0 { break }
        }
        if isDraining {
            closeFinished(&connections)
            if connections.isEmpty && !isListening { return }
        }
        var readable = fd_set()
        var writable = fd_set()
        let mayAccept = !isDraining && (!isFull || connections.isEmpty)
        if mayAccept { FD_SET(listener, &readable) }
        for (socket, connection) in connections {
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
            isFull = try !acceptClients(listener, &connections)
        }
    }
}

/// Has SIGTERM set the flag, and blocks it: from now on it comes only where it is let in.
///
/// - Returns: The mask for pselect: the signals that stay blocked in the wait. SIGTERM is not one.
/// - Throws: The `Errno` of the call that failed.
func catchSIGTERM() throws(Errno) -> sigset_t {
    isToldToEnd = 0
    var terminate = sigset_t()
    var maskInTheWait = sigset_t()
    sigemptyset(&terminate)
    sigaddset(&terminate, SIGTERM)
    sigaddset(&terminate, SIGINT)
    let number = pthread_sigmask(SIG_BLOCK, &terminate, nil)
    guard number == 0 else { throw Errno("pthread_sigmask", number: number) }
    sigemptyset(&maskInTheWait)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in isToldToEnd = 1 }
    for number in [SIGTERM, SIGINT] {
        guard sigaction(number, &action, nil) != -1 else { throw Errno("sigaction") }
    }
    return maskInTheWait
}

/// Whether SIGTERM or SIGINT has come while it was blocked, and still waits to be let in.
/// See sigpending(2).
func isOnePending() -> Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1
}

/// Closes every connection on which nothing is unsent and nothing is unread.
func closeFinished(_ connections: inout [CInt: Connection]) {
    for (socket, connection) in connections where !connection.hasUnsent && !hasUnread(socket) {
        connections[socket] = nil
        close(socket)
    }
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
    let isSending = connections[socket]?.hasUnsent == true
    let stays =
        isSending ? connections[socket]?.send() : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    connections[socket] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog.
///
/// - Returns: False when there is no room for more. The rest stays in the backlog, so the listener
///   stays ready: do not ask for it again before a client has left. Without any client, it has
///   paused before it says so.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            if connection.socket < FD_SETSIZE {
                connections[connection.socket] = connection
            } else {
                note("client \(connection.socket) does not fit into an fd_set")
                close(connection.socket)
            }
        }
        return true
    } catch {
        switch error.number {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            if connections.isEmpty { usleep(100_000) }
            return false
        default: throw error
        }
    }
}
