// Right: recvmsg and sendmsg, and a class for each connection that closes its own socket; it writes
// a line to standard output for each client.

import CLinux
import Glibc

import struct Support.Errno

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    guard fcntl(listener, F_SETFL, O_RDWR | O_NONBLOCK) != -1 else { throw Errno("fcntl") }
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 16)
    defer { room.deallocate() }
    var clients: [Client] = []
    while true {
        while let client = try acceptClient(listener) { clients.append(client) }
        clients.removeAll { !$0.proceed(room) }
    }
}

/// A client. Its socket is closed when the last reference to it goes.
final class Client {
    private let socket: CInt
    private var owed: [UInt8] = []
    private var start = 0

    init(_ socket: CInt) { self.socket = socket }
    deinit { close(socket) }

    func proceed(_ room: UnsafeMutableRawBufferPointer) -> Bool {
        if start == owed.count {
            let count = message(room.baseAddress, room.count) { recvmsg(socket, &$0, 0) }
            guard count > 0 else { return count == -1 && (errno == EAGAIN || errno == EINTR) }
            owed = Array(room[..<count])
            start = 0
        }
        while start < owed.count {
            let count = owed.withUnsafeMutableBytes { bytes in
                message(bytes.baseAddress.map { $0 + start }, bytes.count - start) {
                    sendmsg(socket, &$0, Int32(MSG_NOSIGNAL))
                }
            }
            guard count != -1 else { return errno == EAGAIN || errno == EINTR }
            start += count
        }
        return true
    }

    private func message(
        _ base: UnsafeMutableRawPointer?, _ count: Int, _ call: (inout msghdr) -> Int
    ) -> Int {
        var part = iovec(iov_base: base, iov_len: count)
        return withUnsafeMutablePointer(to: &part) { part in
            var message = msghdr()
            message.msg_iov = part
            message.msg_iovlen = 1
            return call(&message)
        }
    }
}

/// Takes the next client out of the backlog; nil when there is none, or no room for it. Then the
/// next turn asks again.
func acceptClient(_ listener: CInt) throws(Errno) -> Client? {
    while true {
        let socket = accept4(listener, nil, nil, Int32(SOCK_NONBLOCK.rawValue))
        if socket != -1 {
            let line = "client \(socket) has come\n"
            write(1, line, line.utf8.count)
            return Client(socket)
        }
        switch errno {
        case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH,
            EHOSTDOWN, EHOSTUNREACH, ENONET:
            continue
        case EWOULDBLOCK, EMFILE, ENFILE, ENOBUFS, ENOMEM: return nil
        default: throw Errno("accept4")
        }
    }
}
