// Exercise epoll-edge: a TCP echo server in one loop around epoll, edge-triggered.
// Read chapters/05-epoll-edge.md first. Try it with: swift test --filter EpollEdge

import CLinux
import Glibc
import Nonblocking
import Support

/// How many bytes of one client may be read in one turn. Then it is the turn of the others.
let bytesPerTurn = 262_144

/// A client whose socket is watched for edges. This `Connection` replaces the given one.
///
/// epoll reports each change once. What it has reported must be remembered here, until a call has
/// found out that it is no longer true.
struct Connection {
    /// The connection's descriptor. It does not wait (O_NONBLOCK).
    let socket: CInt
    /// Whether a read may find something: bytes, the end, or an error.
    var isReadable = false
    /// Whether a write may find room.
    var isWritable = false
    /// Whether it stands in the list of those that are to have a turn.
    var isListed = false
    /// What was read and is still to be sent. Nothing more is read before it is empty.
    var unsent: [UInt8] = []

    /// Starts with a socket of which nothing is known yet.
    init(_ socket: CInt) { self.socket = socket }

    /// What a client is after its turn.
    enum Turn {
        /// It can do nothing more now. An edge will come when it can.
        case rests
        /// It has used up its turn, and could go on. No edge will come for that.
        case hasMore
        /// It has finished, or is gone.
        case isOver
    }

    /// Remembers what epoll_wait has reported about the socket.
    ///
    /// - Parameter events: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP and EPOLLERR, as they came.
    /// - Returns: Whether it is new to the list of those that are to have a turn.
    mutating func hear(_ events: UInt32) -> Bool {
        //> your part: hear
        // After a hang-up or an error no call waits any more: each tells its end or its reason.
        let always = EPOLLHUP.rawValue | EPOLLERR.rawValue
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | always) != 0 { isReadable = true }
        if events & (EPOLLOUT.rawValue | always) != 0 { isWritable = true }
        defer { isListed = true }
        return !isListed
        //< your part: hear
    }

    /// Sends and reads until the socket has no more to give or to take, or the turn is used up.
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    mutating func takeTurn(_ buffer: inout [UInt8]) -> Turn {
        //> your part: takeTurn
        isListed = false
        var bytesLeft = bytesPerTurn
        while true {
            if !unsent.isEmpty {
                guard send(unsent[...]) else { return .isOver }
                // isReadable stays as it is: no edge will come for the bytes that wait meanwhile.
                guard unsent.isEmpty else { return .rests }
            }
            guard isReadable else { return .rests }
            guard bytesLeft > 0 else {
                isListed = true
                return .hasMore
            }
            let count = read(socket, &buffer, min(buffer.count, bytesLeft))
            guard count != -1 else {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return .isOver }
                // Now, and only now, is it sure that the next byte makes an edge.
                isReadable = false
                continue
            }
            bytesLeft -= count
            guard count > 0, send(buffer[..<count]) else { return .isOver }
        }
        //< your part: takeTurn
    }

    /// Sends as much of `bytes` as there is room for, and keeps the rest in `unsent`.
    ///
    /// - Returns: False when the client is gone.
    private mutating func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        //> your part: send
        var rest = bytes
        while isWritable, !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count != -1 else {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return false }
                // The kernel will notify us when there is room again.
                isWritable = false
                break
            }
            rest = rest.dropFirst(count)
        }
        if rest.count != unsent.count { unsent = Array(rest) }
        return true
        //< your part: send
    }
}

/// Serves all clients in one thread, forever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    defer { close(epoll) }
    try watch(epoll, EPOLL_CTL_ADD, listener, for: EPOLLIN.rawValue | EPOLLET.rawValue)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var events = [epoll_event](repeating: epoll_event(), count: 512)
    // The server's own ready list: clients that can go on. The kernel will not name them again.
    var list: [CInt] = []
    var hasBacklog = false
    var isFull = false
    while true {
        // While somebody can go on, only look for others. Otherwise wait for as long as it takes.
        let count = epoll_wait(epoll, &events, CInt(events.count), list.isEmpty ? -1 : 0)
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("epoll_wait")
        }
        for event in events.prefix(Int(count)) {
            let socket = event.data.fd
            if socket == listener { hasBacklog = true }
            if connections[socket]?.hear(event.events) == true { list.append(socket) }
        }
        // One turn for each, so that one client who never stops sending keeps nobody waiting.
        let turns = list
        list.removeAll(keepingCapacity: true)
        for socket in turns {
            switch proceed(socket, &connections, &buffer) {
            case .rests: break
            case .hasMore: list.append(socket)
            case .isOver: isFull = false
            }
        }
        // No edge comes for a backlog that could not be emptied: try again when a client has left.
        if hasBacklog && !isFull {
            isFull = try acceptClients(listener, epoll, &connections)
            hasBacklog = isFull
        }
    }
    //< your part: serve
}

/// Gives one client its turn.
///
/// - Returns: What the client is afterwards. If it is over, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Connection.Turn {
    //> your part: proceed
    let turn = connections[socket]?.takeTurn(&buffer) ?? .rests
    if turn == .isOver {
        // The last descriptor of a socket takes it out of the interest list, too.
        connections[socket] = nil
        close(socket)
    }
    return turn
    //< your part: proceed
}

/// Takes every client that waits in the backlog, and puts each into the list, to report edges.
///
/// - Returns: Whether there was no room for some of them. They stay in the backlog, so accept would
///   fail again at once: leave it alone until a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ epoll: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    while true {
        do throws(Errno) {
            while let socket = try acceptConnection(listener)?.socket {
                do throws(Errno) {
                    // What is true already makes an edge too: bytes may have come before this call.
                    let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue
                    try watch(epoll, EPOLL_CTL_ADD, socket, for: events | EPOLLET.rawValue)
                    connections[socket] = Connection(socket)
                } catch {
                    // ENOSPC, ENOMEM: the kernel has no room for the entry.
                    note("client \(socket): \(error)")
                    close(socket)
                }
            }
            return false
        } catch {
            guard error.acceptFailure == .noRoom else { throw error }
            if !connections.isEmpty { return true }
            // Nobody could leave, and no edge comes for this backlog again: try once more.
            pauseForRoom()
        }
    }
    //< your part: acceptClients
}
