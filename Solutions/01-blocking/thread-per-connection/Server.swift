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
    // A write to a client that is gone would end every thread by SIGPIPE. Now it fails with EPIPE.
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            let error = Errno("accept")
            switch error.acceptFailure {
            case .tryNext: continue
            case .noRoom: pauseForRoom()
            case .broken: throw error
            }
            continue
        }
        do throws(Errno) {
            // The closure captures this turn's `connection`. From here on the thread owns it.
            let thread = try createThread { attend(to: connection) }
            pthread_detach(thread)
        } catch {
            note("no thread for client \(connection): \(error)")
            close(connection)
        }
    }
    //< your part: serve
}

/// Echoes to one client until it has finished, and closes its connection.
///
/// - Parameter connection: A connected TCP socket. The thread that runs this function owns it.
func attend(to connection: CInt) {
    //> your part: attend
    do throws(Errno) {
        try echo(connection)
    } catch {
        note("client \(connection): \(error)")
    }
    // Threads share one descriptor table: whoever closes twice may close somebody else's client.
    close(connection)
    //< your part: attend
}

/// Sends everything back that the client sends, until it sends no more.
///
/// - Parameter connection: A connected TCP socket.
/// - Throws: The `Errno` of the read or write that failed.
func echo(_ connection: CInt) throws(Errno) {
    //> your part: echo
    // A buffer of this thread's own. One shared buffer would mix the clients' bytes.
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(connection, &buffer, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("read")
        }
        try writeAll(connection, buffer[..<count])
    }
    //< your part: echo
}

/// Writes all of `bytes`. write(2) may take only a part of them, when a signal interrupts it, say.
///
/// - Throws: The `Errno` of write.
func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    //> your part: writeAll
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("write")
        }
        rest = rest.dropFirst(count)
    }
    //< your part: writeAll
}
