// Caught by: thread-per-connection.testServes200ClientsInReverseOrder
// Says: will come
// The mistake: It has no more than 100 threads at once, and further clients wait.

import Glibc
import Support

/// How many more threads may run.
nonisolated(unsafe) private let free = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

/// Accepts clients for ever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    sem_init(free, 0, 100)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            if errno == EINTR || errno == ECONNABORTED { continue }
            throw .current
        }
        while sem_wait(free) == -1 {}
        do throws(Errno) {
            let thread = try createThread {
                echo(connection)
                sem_post(free)
            }
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
        let count = read(connection, &buffer, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
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
