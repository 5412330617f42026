// Right: A further thread joins those that have ended.

import Glibc
import Support
import Synchronization

/// Threads that have ended or are about to; the semaphore counts them.
private let ended = Mutex<[pthread_t]>([])
nonisolated(unsafe) private let endings = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

/// Accepts clients forever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    sem_init(endings, 0, 0)
    pthread_detach(try createThread(reap))
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            let error = Errno("accept")
            switch error.acceptFailure {
            case .tryNext: break
            case .noRoom: usleep(100_000)
            case .broken: throw error
            }
            continue
        }
        do throws(Errno) {
            _ = try createThread {
                echo(connection)
                ended.withLock { $0.append(pthread_self()) }
                sem_post(endings)
            }
        } catch {
            note("no thread for client \(connection): \(error)")
            close(connection)
        }
    }
}

/// Joins the threads that have ended, forever.
@Sendable private func reap() {
    while true {
        while sem_wait(endings) == -1 {}
        let thread = ended.withLock { $0.removeFirst() }
        pthread_join(thread, nil)
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
            return note("client \(connection): \(Errno("write"))")
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
