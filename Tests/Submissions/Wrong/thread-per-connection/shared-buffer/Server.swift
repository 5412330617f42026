// Caught by: thread-per-connection.testKeepsClientsApart
// Says: came back changed
// The mistake: All threads read into one global buffer.

import Glibc
import Support

nonisolated(unsafe) private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 4096, alignment: 1)

/// Accepts clients for ever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            if errno == EINTR || errno == ECONNABORTED { continue }
            throw .current
        }
        do throws(Errno) {
            let thread = try createThread { echo(connection) }
            pthread_detach(thread)
        } catch {
            note("no thread for client \(connection): \(error)")
            close(connection)
        }
    }
}

/// Sends everything back until the client sends no more, and closes the connection.
func echo(_ connection: CInt) {
    defer { close(connection) }
    while true {
        let count = read(connection, buffer.baseAddress, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            return note("client \(connection): \(Errno.current)")
        }
        var written = 0
        while written < count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[written..<count])
            let taken = write(connection, rest.baseAddress, rest.count)
            guard taken != -1 || errno == EINTR else {
                return note("client \(connection): \(Errno.current)")
            }
            written += max(taken, 0)
        }
    }
}
