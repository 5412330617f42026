// Exercise epoll-echo: a TCP echo server in one loop around epoll_wait, level-triggered.
// Read chapters/05-epoll.md first. Try it with: swift test --filter EpollEcho

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
    // TODO: let the listener not wait (setNonblocking), make the epoll descriptor, put the listener
    // into its list, and loop: epoll_wait(2), then `proceed` for each ready client, then
    // `acceptClients` if the listener was among the ready. When acceptClients says that there is no
    // room, watch the listener for nothing, until a client has left.
    unwritten("serve", chapter: "05-epoll")
    //< your part: serve
}

/// Puts a socket into the interest list, or changes its entry. There it stays until it is closed.
///
/// - Parameters:
///   - operation: `EPOLL_CTL_ADD` for a new entry, `EPOLL_CTL_MOD` for one that is there.
///   - events: What to watch for. Errors and hang-ups come without being asked for.
/// - Throws: The `Errno` of epoll_ctl.
func watch(
    _ epoll: CInt, _ operation: CInt, _ socket: CInt, for events: UInt32
) throws(Errno) {
    //> your part: watch
    // TODO: epoll_ctl(2) with an epoll_event that says what to watch for, and whose event it is.
    unwritten("watch", chapter: "05-epoll")
    //< your part: watch
}

/// Moves one client on, now that its socket is ready: sends what is unsent, or echoes what has
/// come.
///
/// - Returns: Whether the client stays. If not, its socket is closed and forgotten.
func proceed(
    _ socket: CInt, _ epoll: CInt, _ connections: inout [CInt: Connection],
    _ buffer: inout [UInt8]
) -> Bool {
    //> your part: proceed
    // TODO: let the connection proceed. When its `hasUnsent` has changed, the entry in the list has
    // to change too. When the client is over: forget it and close it.
    unwritten("proceed", chapter: "05-epoll")
    //< your part: proceed
}

/// Takes every client that waits in the backlog, and puts each into the list.
///
/// - Returns: Whether there was no room for some of them. They stay in the backlog, so accept would
///   fail again at once: leave it alone until a client has left.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func acceptClients(
    _ listener: CInt, _ epoll: CInt, _ connections: inout [CInt: Connection]
) throws(Errno) -> Bool {
    //> your part: acceptClients
    // TODO: take clients with acceptConnection until it gives nil, and put each into the list,
    // once. The list may have no room for it: close that client. When it throws, `acceptFailure`
    // says whether there is no room. Then say so to serve, which must not ask again before a client
    // has left. And if there is no client at all? See pauseForRoom.
    unwritten("acceptClients", chapter: "05-epoll")
    //< your part: acceptClients
}
