// Exercise blocking-tcp: a TCP echo server that serves one client at a time.
// Read chapters/01-blocking.md first. Try it with: swift test --filter BlockingTcp

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
///
/// - Parameter port: The port, or 0 to let the kernel choose.
/// - Returns: The listening descriptor.
/// - Throws: The `Errno` of the call that failed. Then no descriptor is left open.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    //> your part: makeListener
    // TODO: make the socket, allow its address to be used again, give it its address, listen.
    // The calls: socket(2), setsockopt(2) with SO_REUSEADDR, bind(2), listen(2). When one of them
    // fails, close the socket before you throw.
    unwritten("makeListener", chapter: "01-blocking")
    //< your part: makeListener
}

/// Accepts one client after the other and echoes to each until it has finished, forever.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    // TODO: accept a client, echo until it has finished, close it, and begin again.
    // When accept fails: `Errno("accept").acceptFailure` says what that means.
    // Mind the client that is gone before you write to it: signal(7) on SIGPIPE, send(2) on EPIPE.
    unwritten("serve", chapter: "01-blocking")
    //< your part: serve
}

/// Sends everything back that the client sends, until it sends no more.
///
/// - Parameter connection: A connected TCP socket.
/// - Throws: The `Errno` of the read or write that failed.
func echo(_ connection: CInt) throws(Errno) {
    //> your part: echo
    // TODO: read(2) what has come, and write all of it back, until read gives 0: the client has
    // finished.
    unwritten("echo", chapter: "01-blocking")
    //< your part: echo
}

/// Writes all of `bytes`. write(2) may take only a part of them, when a signal interrupts it, say.
///
/// - Throws: The `Errno` of write.
func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    //> your part: writeAll
    // TODO: write(2) until all is taken. It says how much it has taken: go on with the rest.
    unwritten("writeAll", chapter: "01-blocking")
    //< your part: writeAll
}
