// Caught by: thread-per-connection.testStartsAThreadForEachClient
// Says: 0 new threads
// Cause: poll
// The mistake: One thread serves all clients with poll, which is another model.

import Glibc
import Support

/// Accepts clients and echoes to all of them, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    var entries = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
    while true {
        guard poll(&entries, nfds_t(entries.count), -1) != -1 else { throw Errno("poll") }
        for entry in entries where entry.revents != 0 {
            if entry.fd == listener {
                let connection = accept(listener, nil, nil)
                guard connection != -1 else { throw Errno("accept") }
                entries.append(pollfd(fd: connection, events: Int16(POLLIN), revents: 0))
            } else if !echo(entry.fd) {
                entries.removeAll { $0.fd == entry.fd }
                close(entry.fd)
            }
        }
    }
}

/// Sends back what has come. False when the client is done.
func echo(_ connection: CInt) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(connection, &buffer, buffer.count)
    return count > 0 && writeAll(connection, buffer[..<count])
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
