// Right: readv and writev with two buffers, which form one.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    //> your part: makeListener
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    do throws(Errno) {
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
            throw Errno("setsockopt")
        }
        let address = SocketAddress.loopback(port: port)
        guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
        guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
        return listener
    } catch {
        close(listener)
        throw error
    }
    //< your part: makeListener
}

/// Accepts one client after the other, forever.
func serve(_ listener: CInt) throws(Errno) {
    //> your part: serve
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            let error = Errno("accept")
            if error.acceptFailure == .broken { throw error }
            if error.acceptFailure == .noRoom { pauseForRoom() }
            continue
        }
        do throws(Errno) {
            try echo(connection)
        } catch {
            note("client \(connection): \(error)")
        }
        close(connection)
    }
    //< your part: serve
}

/// Sends everything back until the client sends no more.
func echo(_ connection: CInt) throws(Errno) {
    //> your part: echo
    let room = UnsafeMutableRawPointer.allocate(byteCount: 8192, alignment: 16)
    defer { room.deallocate() }
    while true {
        let count = vectors(room, 0, 8192) { readv(connection, $0, $1) }
        if count == 0 { return }
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("readv")
        }
        var written = 0
        while written < count {
            let taken = vectors(room, written, count) { writev(connection, $0, $1) }
            guard taken != -1 || errno == EINTR else { throw Errno("writev") }
            written += max(taken, 0)
        }
    }
    //< your part: echo
}

/// Describes the bytes from `start` to `end` as two parts, of which the first may be short.
private func vectors(
    _ room: UnsafeMutableRawPointer, _ start: Int, _ end: Int,
    _ call: (UnsafePointer<iovec>, CInt) -> Int
) -> Int {
    let middle = start + (end - start) / 2
    let parts = [
        iovec(iov_base: room + start, iov_len: middle - start),
        iovec(iov_base: room + middle, iov_len: end - middle),
    ]
    return parts.withUnsafeBufferPointer { $0.baseAddress.map { call($0, 2) } ?? -1 }
}
