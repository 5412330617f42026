// Caught by: thread-per-connection.testEachThreadWaitsInItsOwnRead
// Says: 10 threads waiting in read
// The mistake: Each thread asks with MSG_DONTWAIT, and sleeps for 10 ms whenever nothing has come.

import Glibc
import Support

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
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = recv(connection, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            if errno == EAGAIN {
                usleep(10_000)
                continue
            }
            return note("client \(connection): \(Errno.current)")
        }
        guard writeAll(connection, buffer[..<count]) else {
            return note("client \(connection): \(Errno.current)")
        }
    }
}

/// Writes all of `bytes`. False, and errno, when that fails.
private func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        guard count != -1 || errno == EINTR else { return false }
        rest = rest.dropFirst(max(count, 0))
    }
    return true
}
