// Right: told to end, it reads each client until EAGAIN; its buffer is small.

import CLinux
import Glibc
import Nonblocking
import Support
import Synchronization

/// Whether SIGTERM has come. A handler is given nothing but a number, so what it sets is global;
/// and it runs between any two instructions of the rest, so it is atomic.
let isToldToEnd = Atomic<Bool>(false)

/// A client: its socket, and what it is still owed.
struct Client {
    let socket: CInt
    private var unsent: [UInt8] = []

    init(_ socket: CInt) { self.socket = socket }

    var hasUnsent: Bool { !unsent.isEmpty }

    mutating func receive(_ buffer: inout [UInt8]) -> Bool {
        let count = read(socket, &buffer, buffer.count)
        if count > 0 { return send(buffer[..<count]) }
        return count == -1 && (errno == EAGAIN || errno == EINTR)
    }

    mutating func send() -> Bool { send(unsent[...]) }

    private mutating func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count == -1 && errno == EINTR { continue }
            if count == -1 && errno == EAGAIN { break }
            guard count != -1 else { return false }
            rest = rest.dropFirst(count)
        }
        unsent = Array(rest)
        return true
    }
}

/// Serves all clients in one thread until SIGTERM comes. Then it takes no more clients, sends what
/// is owed to those that it has, and returns.
///
/// - Parameter listener: A listening TCP socket, which is closed before the end.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    var maskInTheWait = try catchSIGTERM()
    try setNonblocking(listener)
    var connections: [CInt: Client] = [:]
    var buffer = [UInt8](repeating: 0, count: 1000)
    var isFull = false
    var isDraining = false
    var isListening = true
    while true {
        // While a socket is ready, pselect lets no signal in. So let it in here, for a moment.
        var maskAtWork = sigset_t()
        sigprocmask(SIG_SETMASK, &maskInTheWait, &maskAtWork)
        sigprocmask(SIG_SETMASK, &maskAtWork, nil)
        if isToldToEnd.load(ordering: .relaxed) { isDraining = true }
        if isDraining {
            // To close the listener resets those in the backlog: first there must be room for all.
            if isListening, try acceptClients(listener, &connections) {
                isListening = false
                close(listener)
            }
            let before = connections.count
            for socket in connections.keys {
                while connections[socket]?.hasUnsent == false, hasUnread(socket) {
                    _ = proceed(socket, &connections, &buffer)
                }
            }
            closeFinished(&connections)
            // Who has gone has made room for one of the backlog.
            if isListening && (connections.count < before || before == 0) { continue }
            if connections.isEmpty { return }
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
    //< your part: serve
}

/// Has SIGTERM set the flag, and blocks it: from now on it comes only where it is let in.
///
/// - Returns: The mask for pselect: the signals that stay blocked in the wait. SIGTERM is not one.
/// - Throws: The `Errno` of the call that failed.
func catchSIGTERM() throws(Errno) -> sigset_t {
    //> your part: catchSIGTERM
    isToldToEnd.store(false, ordering: .relaxed)
    var terminate = sigset_t()
    var maskInTheWait = sigset_t()
    sigemptyset(&terminate)
    sigaddset(&terminate, SIGTERM)
    guard sigprocmask(SIG_BLOCK, &terminate, &maskInTheWait) != -1 else {
        throw Errno("sigprocmask")
    }
    sigdelset(&maskInTheWait, SIGTERM)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in isToldToEnd.store(true, ordering: .relaxed) }
    guard sigaction(SIGTERM, &action, nil) != -1 else { throw Errno("sigaction") }
    return maskInTheWait
    //< your part: catchSIGTERM
}

/// Closes every connection on which nothing is unsent and nothing is unread.
func closeFinished(_ connections: inout [CInt: Client]) {
    //> your part: closeFinished
    for (socket, connection) in connections where !connection.hasUnsent && !hasUnread(socket) {
        connections[socket] = nil
        close(socket)
    }
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
    _ socket: CInt, _ connections: inout [CInt: Client], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    let isSending = connections[socket]?.hasUnsent == true
    let stays =
        isSending ? connections[socket]?.send() : connections[socket]?.receive(&buffer)
    if stays == true { return true }
    connections[socket] = nil
    close(socket)
    return false
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
///
/// - Returns: False when there is no room for more. The rest stays in the backlog, so the listener
///   stays ready: do not ask for it again before a client has left. Without any client, it has
///   paused before it says so.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Client]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            if connection.socket < FD_SETSIZE {
                connections[connection.socket] = Client(connection.socket)
            } else {
                note("client \(connection.socket) does not fit into an fd_set")
                close(connection.socket)
            }
        }
        return true
    } catch {
        guard error.acceptFailure == .noRoom else { throw error }
        if connections.isEmpty { pauseForRoom() }
        return false
    }
    //< your part: acceptClients
}
