// Right: recvmsg and sendmsg; its own sockaddr_in; an accept that also asks for the address.

import Glibc
import Support

/// Makes a TCP socket that listens on 127.0.0.1.
func makeListener(port: UInt16) throws(Errno) -> CInt {
    let listener = socket(PF_INET, Int32(SOCK_STREAM.rawValue), Int32(IPPROTO_TCP))
    if listener < 0 { throw Errno("socket") }
    var on: CInt = 1
    let size = socklen_t(MemoryLayout.size(ofValue: on))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = htons(port)
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
    var reason: Errno?
    if setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, size) == -1 {
        reason = Errno("setsockopt")
    }
    let bound = withUnsafeBytes(of: &address) { bytes in
        bind(listener, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, 16)
    }
    if reason == nil, bound == -1 { reason = Errno("bind") }
    if reason == nil, listen(listener, 128) == -1 { reason = Errno("listen") }
    guard let reason else { return listener }
    close(listener)
    throw reason
}

/// Accepts one client after the other, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    while true {
        var client = SocketAddress()
        let connection = client.withMutableSockaddr { accept(listener, $0, $1) }
        guard connection != -1 else {
            let error = Errno("accept")
            switch error.acceptFailure {
            case .tryNext: break
            case .noRoom:
                var pause = timeval(tv_sec: 0, tv_usec: 100_000)
                select(0, nil, nil, nil, &pause)
            case .broken: throw error
            }
            continue
        }
        do throws(Errno) {
            try echo(connection)
        } catch {
            note("client \(connection): \(error)")
        }
        close(connection)
    }
}

/// Sends everything back until the client sends no more.
func echo(_ connection: CInt) throws(Errno) {
    let room = UnsafeMutableRawPointer.allocate(byteCount: 16_384, alignment: 16)
    let part = UnsafeMutablePointer<iovec>.allocate(capacity: 1)
    defer {
        room.deallocate()
        part.deallocate()
    }
    var message = msghdr()
    message.msg_iov = part
    message.msg_iovlen = 1
    while true {
        part.initialize(to: iovec(iov_base: room, iov_len: 16_384))
        let count = recvmsg(connection, &message, 0)
        if count == 0 { return }
        if count == -1, errno == EINTR { continue }
        guard count != -1 else { throw Errno("recvmsg") }
        part.pointee.iov_len = count
        while part.pointee.iov_len > 0 {
            let taken = sendmsg(connection, &message, Int32(MSG_NOSIGNAL))
            if taken == -1, errno == EINTR { continue }
            guard taken != -1 else { throw Errno("sendmsg") }
            part.initialize(
                to: iovec(
                    iov_base: part.pointee.iov_base + taken, iov_len: part.pointee.iov_len - taken))
        }
    }
}
