// Right: It reads on while bytes are unsent, up to 1 MiB of them; recvmsg and sendmsg; EPOLLRDHUP.

import CLinux
import Glibc
import Nonblocking
import Support

private struct Client {
    var unsent: [UInt8] = []
    var hasFinished = false
    var events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue

    /// What to watch for now.
    var wanted: UInt32 {
        let isReading = !hasFinished && unsent.count < 1 << 20
        return (isReading ? EPOLLIN.rawValue | EPOLLRDHUP.rawValue : 0)
            | (unsent.isEmpty ? 0 : EPOLLOUT.rawValue)
    }
}

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    guard change(epoll, EPOLL_CTL_ADD, listener, EPOLLIN.rawValue) else {
        throw Errno("epoll_ctl")
    }
    var clients: [CInt: Client] = [:]
    let answers = UnsafeMutablePointer<epoll_event>.allocate(capacity: 16)
    var isFull = false
    while true {
        let count = Int(epoll_wait(epoll, answers, 16, -1))
        if count == -1 {
            if errno == EINTR { continue }
            throw Errno("epoll_wait")
        }
        for index in 0..<count where answers[index].data.fd != listener {
            let socket = answers[index].data.fd
            if work(socket, answers[index].events, epoll, &clients) { continue }
            clients[socket] = nil
            close(socket)
            guard isFull else { continue }
            isFull = false
            guard change(epoll, EPOLL_CTL_MOD, listener, EPOLLIN.rawValue) else {
                throw Errno("epoll_ctl")
            }
        }
        for index in 0..<count where answers[index].data.fd == listener {
            do throws(Errno) {
                while let connection = try acceptConnection(listener) {
                    let client = Client()
                    clients[connection.socket] = client
                    if change(epoll, EPOLL_CTL_ADD, connection.socket, client.events) { continue }
                    clients[connection.socket] = nil
                    close(connection.socket)
                }
            } catch  where error.acceptFailure == .noRoom {
                if clients.isEmpty {
                    // Nobody can leave, so nothing will tell when there is room again.
                    pauseForRoom()
                    continue
                }
                isFull = true
                guard change(epoll, EPOLL_CTL_MOD, listener, 0) else { throw Errno("epoll_ctl") }
            }
        }
    }
}

private func work(
    _ socket: CInt, _ events: UInt32, _ epoll: CInt, _ clients: inout [CInt: Client]
) -> Bool {
    guard var client = clients.removeValue(forKey: socket) else { return true }
    let bad = EPOLLERR.rawValue | EPOLLHUP.rawValue
    if events & bad != 0 { return false }
    if events & EPOLLIN.rawValue != 0 {
        var buffer = [UInt8](repeating: 0, count: 32_768)
        let count = buffer.withUnsafeMutableBytes { bytes in
            var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            var message = msghdr()
            return withUnsafeMutablePointer(to: &vector) { pointer in
                message.msg_iov = pointer
                message.msg_iovlen = 1
                return recvmsg(socket, &message, 0)
            }
        }
        if count == -1, errno != EAGAIN, errno != EINTR { return false }
        client.unsent += buffer.prefix(max(count, 0))
        client.hasFinished = count == 0
    }
    while !client.unsent.isEmpty {
        let count = client.unsent.withUnsafeMutableBytes { bytes in
            var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            var message = msghdr()
            return withUnsafeMutablePointer(to: &vector) { pointer in
                message.msg_iov = pointer
                message.msg_iovlen = 1
                return sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
            }
        }
        if count == -1, errno == EINTR { continue }
        if count == -1, errno == EAGAIN { break }
        if count == -1 { return false }
        client.unsent.removeFirst(count)
    }
    if client.hasFinished, client.unsent.isEmpty { return false }
    if client.events != client.wanted {
        client.events = client.wanted
        guard change(epoll, EPOLL_CTL_MOD, socket, client.events) else { return false }
    }
    clients[socket] = client
    return true
}

private func change(_ epoll: CInt, _ operation: CInt, _ socket: CInt, _ events: UInt32) -> Bool {
    var event = epoll_event()
    event.events = events
    event.data.fd = socket
    return epoll_ctl(epoll, operation, socket, &event) == 0
}
