// Caught by: thread-per-connection.testThreadsEndWithTheirClients
// Says: it will not come
// Cause: in futex
// The mistake: A thread whose client has left stays, to serve a later one.

import Glibc
import Support

/// Connections that a thread which has become idle is to serve, under the lock.
nonisolated(unsafe) private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
nonisolated(unsafe) private let work = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
nonisolated(unsafe) private var waiting: [CInt] = []
nonisolated(unsafe) private var idle = 0

/// Accepts clients forever, and gives each to an idle thread or to a new one.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    pthread_mutex_init(lock, nil)
    pthread_cond_init(work, nil)
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
        pthread_mutex_lock(lock)
        let isTaken = idle > waiting.count
        if isTaken { waiting.append(connection) }
        pthread_cond_signal(work)
        pthread_mutex_unlock(lock)
        if isTaken { continue }
        pthread_detach(try createThread { serveOneAfterTheOther(connection) })
    }
}

/// Serves a client, and then the next one that is waiting, forever.
private func serveOneAfterTheOther(_ first: CInt) {
    var connection = first
    while true {
        echo(connection)
        pthread_mutex_lock(lock)
        idle += 1
        while waiting.isEmpty { pthread_cond_wait(work, lock) }
        idle -= 1
        connection = waiting.removeFirst()
        pthread_mutex_unlock(lock)
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
        guard writeAll(connection, buffer[..<count]) else {
            return note("client \(connection): \(Errno("read"))")
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
