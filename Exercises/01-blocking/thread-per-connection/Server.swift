// Exercise thread-per-connection: a TCP echo server with a thread for each client.
// Read chapters/01-blocking.md first. Try it with: swift test --filter ThreadPerConnection

import Glibc
import Support

/// Accepts clients for ever, and gives each of them a thread of its own.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: accept a client, start a thread that echoes to it, and go back to accept at once.
    // `createThread` in Thread.swift is given. Read it: it leaves one duty to you.
    unwritten("serve", chapter: "01-blocking")
    //< your part: serve
}

/// Sends everything back that the client sends, until it sends no more, and closes the connection.
///
/// - Parameter connection: A connected TCP socket. The thread that runs this function owns it.
func echo(_ connection: CInt) {
    //> your part: echo
    // TODO: as in blocking-tcp. Who closes the connection, on every way out?
    unwritten("echo", chapter: "01-blocking")
    //< your part: echo
}
