// Caught by: thread-per-connection.testStartsAThreadForEachClient
// Says: 0 new threads
// Cause: new thread
// The mistake: 250 threads are started beforehand, and each accepts clients itself.

import Glibc
import Support

/// Starts the threads, and waits for them.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    var threads: [pthread_t] = []
    for _ in 1...250 { threads.append(try createThread { work(listener) }) }
    for thread in threads { pthread_join(thread, nil) }
    throw Errno("system call")
}

/// Accepts clients forever, and echoes to each until it has finished.
private func work(_ listener: CInt) {
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            if errno == EINTR || errno == ECONNABORTED { continue }
            return note("accept: \(Errno("accept"))")
        }
        echo(connection)
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
