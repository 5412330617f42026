// Caught by: thread-per-connection.testASlowReaderHoldsNobody
// Says: in futex
// Cause: lock
// The mistake: One lock for all threads is held while a write waits.

import Glibc
import Support

nonisolated(unsafe) private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

/// Accepts clients forever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    pthread_mutex_init(lock, nil)
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
        let count = read(connection, &buffer, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            return note("client \(connection): \(Errno("read"))")
        }
        pthread_mutex_lock(lock)
        let isWritten = writeAll(connection, buffer[..<count])
        let reason = Errno("read")
        pthread_mutex_unlock(lock)
        guard isWritten else { return note("client \(connection): \(reason)") }
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
