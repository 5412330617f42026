// Exercise poll-echo: a TCP echo server in one loop around poll.
// Read chapters/04-poll.md first. Try it with: swift test --filter PollEcho

import CLinux
import Glibc
import Nonblocking
import Support

/// Serves all clients in one thread, forever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of a call that shows that a socket of the server's own is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: let the listener not wait (setNonblocking). Keep an array of pollfd, a row for the
    // listener and one for each client; in a loop let poll(2) wait for all of them at once, then
    // move on each client whose `revents` is not 0. Ask for POLLOUT only while a client has unsent
    // bytes. The row of a client that is gone must go.
    unwritten("serve", chapter: "04-poll")
    //< your part: serve
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what
/// has come. You wrote it in select-echo.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ connections: inout [CInt: Connection], _ buffer: inout [UInt8]
) -> Bool {
    if connections[socket]?.proceed(&buffer) == true { return true }
    // A closed descriptor must leave the array: poll would say POLLNVAL of it from now on.
    connections[socket] = nil
    close(socket)
    return false
}

/// Takes every client that waits in the backlog, and gives each a row.
///
/// - Returns: Whether there was no room for some of them. They stay in the backlog, so accept would
///   fail again at once: leave it alone until a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ connections: inout [CInt: Connection], _ rows: inout [pollfd]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    // TODO: as in select-echo, but no number of a descriptor is too high any more, and each client
    // gets a row.
    unwritten("acceptClients", chapter: "04-poll")
    //< your part: acceptClients
}
