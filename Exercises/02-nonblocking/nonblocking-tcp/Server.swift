// Exercise nonblocking-tcp: a TCP echo server that asks every client in turn, and never waits.
// Read chapters/02-nonblocking.md first. Try it with: swift test --filter NonblockingTcp

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, forever.
///
/// - Parameter listener: A listening TCP socket, which would wait.
/// - Throws: The `Errno` of a call that shows that the listener is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: make the listener nonblocking. Then, forever: take the new clients, and move each
    // client on. The functions below do the parts. No call may wait, and there is no pause. When
    // acceptClients says that there is no room, do not call it again before a client has left.
    unwritten("serve", chapter: "02-nonblocking")
    //< your part: serve
}

/// Moves one client on, if it can be: sends what is unsent, or echoes what has come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    // TODO: let the connection proceed. When it says that the client is over: forget it, close its
    // socket.
    unwritten("proceed", chapter: "02-nonblocking")
    //< your part: proceed
}

/// Takes every client that waits in the backlog.
///
/// - Returns: Whether there was no room for some of them. They stay in the backlog, so accept would
///   fail again at once: leave it alone until a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    // TODO: take clients with acceptConnection until it gives nil, and keep them in connections.
    // When it throws, `acceptFailure` says whether there is no room. Then say so to serve, which
    // must not ask again before a client has left. And if there is no client at all? Nothing waits
    // here.
    unwritten("acceptClients", chapter: "02-nonblocking")
    //< your part: acceptClients
}

/// A client: its nonblocking socket, and the bytes that are still to be sent to it.
final class Connection {
    /// The connection's descriptor. Whoever removes the connection closes it.
    let socket: CInt
    private var unsent: [UInt8] = []

    /// Wraps a connected socket that does not wait (O_NONBLOCK).
    init(_ socket: CInt) { self.socket = socket }

    /// Whether bytes wait for room in the socket. As long as they do, nothing more is read.
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Moves the client on: sends what is unsent, or else echoes what has come.
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    /// - Returns: False when the client has finished or is gone: then close its socket.
    func proceed(_ buffer: inout [UInt8]) -> Bool {
        hasUnsent ? send() : receive(&buffer)
    }

    /// Reads once, and sends back as much as there is room for. Call it while nothing is unsent.
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    /// - Returns: False when the client has finished or is gone: then close its socket.
    func receive(_ buffer: inout [UInt8]) -> Bool {
        //> your part: receive
        // TODO: read(2) once, and send the bytes back. What do 0, EAGAIN and EINTR mean?
        unwritten("receive", chapter: "02-nonblocking")
        //< your part: receive
    }

    /// Sends as much of the unsent bytes as there is room for.
    /// - Returns: False when the client is gone: then close its socket.
    func send() -> Bool { send(unsent[...]) }

    /// Sends as much of `bytes` as there is room for, and keeps the rest.
    private func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        //> your part: send
        // TODO: send(2) until all is taken or there is no room (EAGAIN). Keep the rest in `unsent`.
        // A client that is gone must not end the server: MSG_NOSIGNAL.
        unwritten("send", chapter: "02-nonblocking")
        //< your part: send
    }
}

/// Takes the next client out of the backlog, without waiting for one.
///
/// - Parameter listener: A listening socket that does not wait (O_NONBLOCK).
/// - Returns: The client, whose socket does not wait either; or nil when nobody is there.
/// - Throws: The `Errno` of the accept, unless its `acceptFailure` says to try the next client.
func acceptConnection(_ listener: CInt) throws(Errno) -> Connection? {
    //> your part: acceptConnection
    // TODO: accept a client, and make its socket nonblocking: it does not inherit the flag. The
    // call: accept4(2), or accept(2) and setNonblocking. When it fails: EAGAIN means that nobody is
    // there; `acceptFailure` tells the rest apart.
    unwritten("acceptConnection", chapter: "02-nonblocking")
    //< your part: acceptConnection
}

/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead. You wrote
/// it in nonblocking-udp.
///
/// - Throws: The `Errno` of fcntl, if `descriptor` is not open.
func setNonblocking(_ descriptor: CInt) throws(Errno) {
    let flags = fcntl(descriptor, F_GETFL)
    // Read first, then add one flag: F_SETFL with O_NONBLOCK alone would clear the others.
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
}
