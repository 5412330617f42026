// Caught by: thread-per-connection.testGoesOnAfterAnAbortedConnection
// Says: ECONNABORTED
// The mistake: It takes ECONNABORTED for an error of the listener.

import Glibc
import Support

/// Accepts clients for ever, and gives each of them a thread of its own.
///
/// - Parameter listener: A listening TCP socket.
/// - Throws: The `Errno` of accept, if the listener itself is broken.
func serve(_ listener: CInt) throws(Errno) {
    // A write to a client that is gone would end every thread by SIGPIPE. Now it fails with EPIPE.
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            if errno == EINTR { continue }
            throw .current
        }
        do throws(Errno) {
            // The closure captures this turn's `connection`. From here on the thread owns it.
            let thread = try createThread { echo(connection) }
            pthread_detach(thread)
        } catch {
            note("no thread for client \(connection): \(error)")
            close(connection)
        }
    }
}

/// Sends everything back that the client sends, until it sends no more, and closes the connection.
///
/// - Parameter connection: A connected TCP socket. The thread that runs this function owns it.
func echo(_ connection: CInt) {
    // Threads share one descriptor table: whoever closes twice may close somebody else's client.
    defer { close(connection) }
    // A buffer of this thread's own. One shared buffer would mix the clients' bytes.
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(connection, &buffer, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            return note("client \(connection): \(Errno.current)")
        }
        var written = 0
        while written < count {
            let taken = buffer[written..<count].withUnsafeBytes { rest in
                write(connection, rest.baseAddress, rest.count)
            }
            guard taken != -1 || errno == EINTR else {
                return note("client \(connection): \(Errno.current)")
            }
            written += max(taken, 0)
        }
    }
}
