// Exercise select-echo: a TCP and UDP echo server in one loop around select.
// Read chapters/03-select.md first. Try it with: swift test --filter SelectEcho

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
///
/// - Parameters:
///   - listener: A listening TCP socket that would wait: it has no O_NONBLOCK yet.
///   - datagrams: A UDP socket bound to the same port, and without O_NONBLOCK too.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt, _ datagrams: CInt) throws(Errno) {
    //> your part: serve
    // TODO: let neither socket wait (setNonblocking). Then, in a loop, put every socket into its
    // set, select, and serve those that are ready.
    // Ask for room (writable) while a client has unsent bytes, and for bytes (readable) otherwise.
    // select overwrites its sets, wants the highest descriptor plus one, and may fail with EINTR.
    unwritten("serve", chapter: "03-select")
    //< your part: serve
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what
/// has come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    // TODO: let the connection proceed. When it says that the client is over: forget it, close its
    // socket.
    unwritten("proceed", chapter: "03-select")
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
    // must not ask again before a client has left. And if there is no client at all? See
    // pauseForRoom. Close those whose descriptor does not fit into an fd_set: FD_SETSIZE.
    unwritten("acceptClients", chapter: "03-select")
    //< your part: acceptClients
}

/// Sends the datagrams that have come back to their senders, at most 64 in one turn.
func echoDatagrams(_ socket: CInt, _ buffer: inout [UInt8]) {
    //> your part: echoDatagrams
    // TODO: recvfrom(2) and sendto(2), until nothing is there or the others must have their turn.
    unwritten("echoDatagrams", chapter: "03-select")
    //< your part: echoDatagrams
}
