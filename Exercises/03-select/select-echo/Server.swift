// Exercise select-echo: a TCP and UDP echo server in one loop around select.
// Read chapters/03-select.md first. Try it with: swift test --filter SelectEcho

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, for ever.
///
/// - Parameters:
///   - listener: A listening TCP socket that would wait: it has no O_NONBLOCK yet.
///   - datagrams: A UDP socket bound to the same port, and without O_NONBLOCK, too.
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
/// - Returns: True when the backlog is empty. False when this process has no descriptor left: the
///   rest stays in the backlog, so the listener stays ready. Do not ask for it again before a
///   client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    // TODO: take clients with acceptConnection until there is none; keep them in connections.
    // It throws when there is no descriptor left: error.rawValue is EMFILE.
    // Close those whose descriptor does not fit into an fd_set: FD_SETSIZE.
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
