// Caught by: epoll-edge.testTakesWhatComesBeforeEpollWait
// Says: nothing will come
// The mistake: EPOLLONESHOT: after its first event the socket is told of no more, until
// EPOLL_CTL_MOD arms it again.

import CLinux
import Glibc
import Support

/// How many bytes of one client may be read in one turn. Then it is the turn of the others.
let bytesPerTurn = 262_144

/// A client whose socket is watched for edges.
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
        /// It can do nothing more now. An edge will tell when it can.
        case rests
        /// It has used up its turn, and could go on. No edge will tell of that again.
        case hasMore
        /// It has finished, or is gone.
        case isOver
    }

    /// Remembers what epoll_wait has told of the socket.
    mutating func hear(_ events: UInt32) -> Bool {
        let always = EPOLLHUP.rawValue | EPOLLERR.rawValue
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | always) != 0 { isReadable = true }
        if events & (EPOLLOUT.rawValue | always) != 0 { isWritable = true }
        defer { isListed = true }
        return !isListed
    }

    /// Sends and reads until the socket has no more to give or to take, or until the turn is used up.
    mutating func takeTurn(_ buffer: inout [UInt8]) -> Turn {
        isListed = false
        var bytesLeft = bytesPerTurn
        while true {
            if !unsent.isEmpty {
                guard send(unsent[...]) else { return .isOver }
                guard unsent.isEmpty else { return .rests }
            }
            guard isReadable else { return .rests }
            guard bytesLeft > 0 else {
                isListed = true
                return .hasMore
            }
            let count = read(socket, &buffer, min(buffer.count, bytesLeft))
            if count > 0 {
                bytesLeft -= count
                guard send(buffer[..<count]) else { return .isOver }
            } else if count == -1 && errno == EAGAIN {
                isReadable = false
            } else if count == 0 || errno != EINTR {
                return .isOver
            }
        }
    }

    /// Sends as much of `bytes` as there is room for, and keeps the rest in `unsent`.
    private mutating func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while isWritable, !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count != -1 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                isWritable = false
            } else if errno != EINTR {
                return false
            }
        }
        unsent = Array(rest)
        return true
    }
}

/// Serves all clients in one thread, for ever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw .current }
    try watch(listener, with: epoll)
    var connections: [CInt: Connection] = [:]
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var events = [epoll_event](repeating: epoll_event(), count: 256)
    var list: [CInt] = []
    var hasBacklog = false
    var isFull = false
    while true {
        let count = epoll_wait(epoll, &events, Int32(events.count), list.isEmpty ? -1 : 0)
        guard count != -1 || errno == EINTR else { throw .current }
        for event in events[..<max(0, Int(count))] {
            let socket = event.data.fd
            if socket == listener { hasBacklog = true }
            guard connections[socket]?.hear(event.events) == true else { continue }
            list.append(socket)
        }
        let turns = list
        list.removeAll(keepingCapacity: true)
        for socket in turns {
            switch proceed(socket, &connections, &buffer) {
            case .rests: break
            case .hasMore: list.append(socket)
            case .isOver: isFull = false
            }
        }
        if hasBacklog && !isFull {
            hasBacklog = try !acceptClients(listener, epoll, &connections)
            isFull = hasBacklog
        }
    }
}

/// Has an epoll instance watch a socket for edges, for all that may ever be of interest.
func watch(_ socket: CInt, with epoll: CInt) throws(Errno) {
    let wanted =
        EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue
        | (socket == 3 ? 0 : EPOLLONESHOT.rawValue)
    var event = epoll_event(events: wanted | EPOLLET.rawValue, data: epoll_data(fd: socket))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != -1 else { throw .current }
}

/// Gives one client its turn.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Connection.Turn {
    let turn = connections[socket]?.takeTurn(&buffer) ?? .rests
    if turn == .isOver {
        connections[socket] = nil
        close(socket)
    }
    return turn
}

/// Takes every client that waits in the backlog, and has epoll watch each.
func acceptClients(
    _ listener: CInt, _ epoll: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let socket = try acceptConnection(listener)?.socket {
            try watch(socket, with: epoll)
            connections[socket] = Connection(socket)
        }
        return true
    } catch {
        guard error.rawValue == EMFILE else { throw error }
        return false
    }
}
