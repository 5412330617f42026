// Caught by: blocking-tcp.testQueuesTheSecondClient
// Says: serves both at once
// Cause: accept
// The mistake: A second thread accepts all clients at once and keeps them in a queue of its own.

import Glibc
import Support
import Synchronization

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    var yes: CInt = 1
    let size = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
        throw Errno("setsockopt")
    }
    let address = SocketAddress.loopback(port: port)
    guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
    guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
    return listener
}

/// The connections that wait to be served; the semaphore counts them.
private let waiting = Mutex<[CInt]>([])
nonisolated(unsafe) private let count = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

/// Serves one client after the other; a thread accepts them meanwhile.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    sem_init(count, 0, 0)
    var thread = pthread_t()
    let argument = UnsafeMutableRawPointer(bitPattern: Int(listener))
    let error = pthread_create(
        &thread, nil,
        { argument in
            acceptAll(CInt(Int(bitPattern: argument)))
            return nil
        }, argument)
    guard error == 0 else { throw Errno("pthread_create", number: error) }
    while true {
        while sem_wait(count) == -1 {}
        let connection = waiting.withLock { $0.removeFirst() }
        do throws(Errno) {
            try echo(connection)
        } catch {
            note("client \(connection): \(error)")
        }
        close(connection)
    }
}

private func acceptAll(_ listener: CInt) {
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else { continue }
        waiting.withLock { $0.append(connection) }
        sem_post(count)
    }
}

/// Sends everything back until the client sends no more.
func echo(_ connection: CInt) throws(Errno) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(connection, &buffer, buffer.count)
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("read")
        }
        try writeAll(connection, buffer[..<count])
    }
}

/// Writes all of `bytes`, however often that takes.
private func writeAll(_ connection: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        guard count != -1 || errno == EINTR else { throw Errno("write") }
        rest = rest.dropFirst(max(count, 0))
    }
}
