// Right: Its own pthread_create: detached by an attribute, and with a stack of 64 KiB; it writes a
// line to standard error for each client.

import Glibc
import Support

/// Accepts clients forever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 65_536)
    defer { pthread_attr_destroy(&attributes) }
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            let error = Errno("accept")
            guard error.acceptFailure != .broken else { throw error }
            if error.acceptFailure == .noRoom { pauseForRoom() }
            continue
        }
        note("client \(connection) has come")
        var thread = pthread_t()
        // The descriptor itself travels as the argument: there is nothing that two threads share.
        let argument = UnsafeMutableRawPointer(bitPattern: Int(connection))
        let error = pthread_create(
            &thread, &attributes,
            { argument in
                echo(CInt(Int(bitPattern: argument)))
                return nil
            }, argument)
        if error != 0 {
            note("no thread for client \(connection): \(Errno("pthread_create", number: error))")
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
