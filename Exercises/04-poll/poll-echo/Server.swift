// Exercise poll-echo: a TCP echo server in one loop around poll.
// Read chapters/04-poll.md first. Try it with: swift test --filter PollEcho

import CLinux
import Glibc
import Support

/// Serves all clients in one thread, for ever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: let the listener not wait (setNonblocking). Keep an array of pollfd, a row for the
    // listener and one for each client; in a loop let poll(2) wait for all of them at once, then move
    // on each client whose `revents` is not 0. Ask for POLLOUT only while a client is owed bytes. The
    // row of a client that is gone must go.
    unwritten("serve", chapter: "04-poll")
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
    // TODO: send() if this client has unsent bytes, receive(&buffer) if not. When either says false,
    // the client is gone: forget it, and close its socket.
    unwritten("proceed", chapter: "04-poll")
    //< your part: proceed
}

/// Takes every client that waits in the backlog, and gives each a row.
///
/// - Returns: False when this process has no descriptor left. The rest stays in the backlog, so the
///   listener stays ready: do not ask for it again before a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection], _ rows: inout [pollfd]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    // TODO: acceptConnection until it gives nil; each client gets a row. It throws EMFILE when this
    // process has no descriptor left: that is no reason to end, but one to wait.
    unwritten("acceptClients", chapter: "04-poll")
    //< your part: acceptClients
}
