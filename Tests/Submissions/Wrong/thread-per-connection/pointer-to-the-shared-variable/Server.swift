// Caught by: thread-per-connection.testServesTwoClientsAtOnce
// Says: nothing will come
// Cause: its own number
// The mistake: The threads get a pointer to one variable, and the next accept overwrites what it holds.

import Glibc
import Support

/// Accepts clients forever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    let connection = UnsafeMutablePointer<CInt>.allocate(capacity: 1)
    while true {
        let accepted = accept(listener, nil, nil)
        guard accepted != -1 else {
            let error = Errno("accept")
            switch error.acceptFailure {
            case .tryNext: continue
            case .noRoom: pauseForRoom()
            case .broken: throw error
            }
            continue
        }
        connection.pointee = accepted
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { argument in
                if let argument { echo(argument.assumingMemoryBound(to: CInt.self)) }
                return nil
            }, connection)
        guard error == 0 else { throw Errno("pthread_create", number: error) }
        pthread_detach(thread)
    }
}

/// Sends everything back until the client sends no more, and closes the connection.
func echo(_ connection: UnsafePointer<CInt>) {
    defer { close(connection.pointee) }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(connection.pointee, &buffer, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            return note("client \(connection.pointee): \(Errno("read"))")
        }
        guard writeAll(connection.pointee, buffer[..<count]) else {
            return note("client \(connection.pointee): \(Errno("read"))")
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
