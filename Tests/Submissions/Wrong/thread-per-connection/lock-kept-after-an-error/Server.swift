// Caught by: thread-per-connection.testSurvivesAReset
// Says: nothing will come
// Cause: lock
// The mistake: It counts the clients under a lock, and forgets to unlock it when one breaks off.

import Glibc
import Support

nonisolated(unsafe) private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
nonisolated(unsafe) private var clients = 0

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
    pthread_mutex_lock(lock)
    clients += 1
    pthread_mutex_unlock(lock)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(connection, &buffer, buffer.count)
        if count == 0 {
            close(connection)
            pthread_mutex_lock(lock)
            clients -= 1
            pthread_mutex_unlock(lock)
            return
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            note("client \(connection): \(Errno("read"))")
            close(connection)
            pthread_mutex_lock(lock)
            clients -= 1
            return
        }
        guard writeAll(connection, buffer[..<count]) else {
            note("client \(connection): \(Errno("read"))")
            close(connection)
            pthread_mutex_lock(lock)
            clients -= 1
            pthread_mutex_unlock(lock)
            return
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
