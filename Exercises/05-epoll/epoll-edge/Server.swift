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
        // TODO: set isReadable and isWritable. Which events mean that a read does not wait? A
        // hang-up and an error come unasked. An event may come for a client that is already in the
        // list.
        unwritten("hear", chapter: "05-epoll-edge")
        //< your part: hear
    }

    /// Sends and reads until the socket has no more to give or to take, or the turn is used up.
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    mutating func takeTurn(_ buffer: inout [UInt8]) -> Turn {
        //> your part: takeTurn
        // TODO: send what is unsent; when nothing is, read and send, until read gives EAGAIN, or
        // until `bytesPerTurn` bytes are read. Take the client out of the list, or say that it has
        // more.
        unwritten("takeTurn", chapter: "05-epoll-edge")
        //< your part: takeTurn
    }

    /// Sends as much of `bytes` as there is room for, and keeps the rest in `unsent`.
    ///
    /// - Returns: False when the client is gone.
    private mutating func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        //> your part: send
        // TODO: send until all is gone or send gives EAGAIN. What is left goes into `unsent`.
        unwritten("send", chapter: "05-epoll-edge")
        //< your part: send
    }
}

/// Serves all clients in one thread, forever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: epoll_create1, watch the listener, and loop around epoll_wait. A client that has more
    // after its turn goes into a list of your own. How long may epoll_wait wait while it is not
    // empty? When there is no room for a client, no edge will remind you of the backlog.
    unwritten("serve", chapter: "05-epoll-edge")
    //< your part: serve
}

/// Gives one client its turn.
///
/// - Returns: What the client is afterwards. If it is over, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Connection.Turn {
    //> your part: proceed
    // TODO: one turn. If the client is over, close its socket and forget it.
    unwritten("proceed", chapter: "05-epoll-edge")
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
    // TODO: begin with yours from epoll-echo; the descriptor is `.socket`. Watch each client once,
    // for all that may ever be of interest, with EPOLLET. One edge may stand for many clients.
    // Without room, and without a client that could leave, pauseForRoom and try again: no edge comes
    // for this backlog.
    unwritten("acceptClients", chapter: "05-epoll-edge")
    //< your part: acceptClients
}
