// Exercise thread-per-connection: a TCP echo server with a thread for each client.
// Read chapters/01-blocking.md first. Try it with: swift test --filter ThreadPerConnection

import Glibc
import Support

/// Accepts clients forever, and gives each of them a thread of its own.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: accept a client, start a thread that attends to it, and go back to accept at once.
    // `createThread` in Thread.swift is given. Read it: it leaves one duty to you.
    unwritten("serve", chapter: "01-blocking")
    //< your part: serve
}

/// Echoes to one client until it has finished, and closes its connection.
///
/// - Parameter connection: A connected TCP socket. The thread that runs this function owns it.
func attend(to connection: CInt) {
    //> your part: attend
    // TODO: echo, and close the connection once, however the echo ends.
    unwritten("attend", chapter: "01-blocking")
    //< your part: attend
}

/// Sends everything back that the client sends, until it sends no more.
///
/// - Parameter connection: A connected TCP socket.
/// - Throws: The `Errno` of the read or write that failed.
func echo(_ connection: CInt) throws(Errno) {
    //> your part: echo
    // TODO: as in blocking-tcp: copy yours. Whose is the buffer?
    unwritten("echo", chapter: "01-blocking")
    //< your part: echo
}

/// Writes all of `bytes`. write(2) may take only a part of them, when a signal interrupts it, say.
///
/// - Throws: The `Errno` of write.
func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    //> your part: writeAll
    // TODO: as in blocking-tcp: copy yours.
    unwritten("writeAll", chapter: "01-blocking")
    //< your part: writeAll
}
