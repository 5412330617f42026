// Right: The first thread joins those that have ended each time that it has accepted a client.

import Glibc
import Support
import Synchronization

/// Threads that have ended or are about to.
private let ended = Mutex<[pthread_t]>([])

/// Accepts clients forever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            switch errno {
            case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN,
                ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET:
                continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                var pause = timeval(tv_sec: 0, tv_usec: 100_000)
                select(0, nil, nil, nil, &pause)
                continue
            default: throw Errno("accept")
            }
        }
        for thread in ended.withLock({ exchange(&$0, with: []) }) { pthread_join(thread, nil) }
        do throws(Errno) {
            _ = try createThread {
                echo(connection)
                ended.withLock { $0.append(pthread_self()) }
            }
        } catch {
            note("no thread for client \(connection): \(error)")
            close(connection)
        }
    }
    //< your part: serve
}

private func exchange<Value>(_ place: inout Value, with new: Value) -> Value {
    defer { place = new }
    return place
}

/// Sends everything back until the client sends no more, and closes the connection.
func echo(_ connection: CInt) {
    //> your part: echo
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
    //< your part: echo
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
