// Right: The first thread starts one that accepts, and waits for its end; readv and writev.

import Glibc
import Support
import Synchronization

/// Why the thread that accepts has ended.
private let reason = Mutex<Errno?>(nil)

/// Lets a thread accept the clients, and waits for it.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    let acceptor = try createThread {
        let error = acceptAll(listener)
        reason.withLock { $0 = error }
    }
    pthread_join(acceptor, nil)
    if let reason = reason.withLock({ $0 }) { throw reason }
}

/// Accepts clients forever, and gives each of them a thread of its own.
/// - Returns: Why it cannot go on: the listener is broken.
private func acceptAll(_ listener: CInt) -> Errno {
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            let error = Errno("accept")
            switch error.acceptFailure {
            case .tryNext: continue
            case .noRoom: pauseForRoom()
            case .broken: return error
            }
            continue
        }
        do throws(Errno) {
            pthread_detach(try createThread { echo(connection) })
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
        let count = buffer.withUnsafeMutableBytes { bytes in
            var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return readv(connection, &part, 1)
        }
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            return note("client \(connection): \(Errno("readv"))")
        }
        guard writeAll(connection, buffer[..<count]) else {
            return note("client \(connection): \(Errno("writev"))")
        }
    }
}

/// Writes all of `bytes`. False, and errno, when that fails.
private func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { bytes in
            let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            var part = iovec(iov_base: base, iov_len: bytes.count)
            return writev(connection, &part, 1)
        }
        guard count != -1 || errno == EINTR else { return false }
        rest = rest.dropFirst(max(count, 0))
    }
    return true
}
