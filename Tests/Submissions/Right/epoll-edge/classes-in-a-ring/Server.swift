// Right: Clients are objects in a queue that goes round; epoll_pwait, accept and fcntl, recvmsg and
// sendmsg; SIGPIPE is ignored.

import CLinux
import Glibc
import Nonblocking
import Support

let portion = 32_768

final class Client {
    let socket: CInt
    var readable = false
    var isQueued = false
    var pending: [UInt8] = []
    var start = 0

    init(_ socket: CInt) { self.socket = socket }

    deinit { close(socket) }

    /// Sends what is pending; false when the client is gone.
    func flush() -> Bool {
        while start < pending.count {
            let count = pending.withUnsafeMutableBytes { bytes -> Int in
                var part = iovec(
                    iov_base: bytes.baseAddress?.advanced(by: start), iov_len: bytes.count - start)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    return sendmsg(socket, &message, 0)
                }
            }
            if count == -1 {
                if errno == EINTR { continue }
                return errno == EAGAIN
            }
            start += count
        }
        pending.removeAll(keepingCapacity: true)
        start = 0
        return true
    }

    /// One portion; nil when the client is over, true when it has more.
    func step() -> Bool? {
        guard flush() else { return nil }
        guard pending.isEmpty, readable else { return false }
        var count = -1
        repeat {
            pending = [UInt8](unsafeUninitializedCapacity: portion) { memory, used in
                var part = iovec(iov_base: memory.baseAddress, iov_len: portion)
                count = withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    return recvmsg(socket, &message, 0)
                }
                used = max(0, count)
            }
        } while count == -1 && errno == EINTR
        if count > 0 { return flush() ? pending.isEmpty : nil }
        guard count == -1, errno == EAGAIN else { return nil }
        readable = false
        return false
    }
}

func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    try setNonblocking(listener)
    let epoll = epoll_create(1)
    guard epoll != -1 else { throw Errno("epoll_create") }
    var clients: [CInt: Client] = [:]
    var queue: [Client] = []
    var waiting = true
    func add(_ socket: CInt) -> Bool {
        var event = epoll_event()
        event.events = UInt32(1) << 31 | EPOLLIN.rawValue | EPOLLOUT.rawValue
        event.data.fd = socket
        return epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0
    }
    guard add(listener) else { throw Errno("epoll_ctl") }
    var events = [epoll_event](repeating: epoll_event(), count: 16)
    var isFull = false
    while true {
        while waiting, !isFull {
            let socket = accept(listener, nil, nil)
            if socket == -1 {
                let error = Errno("accept")
                if error.acceptFailure == .tryNext { continue }
                isFull = error.acceptFailure == .noRoom
                waiting = isFull
                guard isFull || error.number == EAGAIN else { throw error }
                break
            }
            try setNonblocking(socket)
            let client = Client(socket)
            if add(socket) { clients[socket] = client }
        }
        // Full, and nobody can leave: then the clock says when to try again.
        let isAlone = isFull && clients.isEmpty
        let limit: CInt = isAlone ? 100 : queue.isEmpty ? -1 : 0
        let count = epoll_pwait(epoll, &events, 16, limit, nil)
        if count == -1 && errno != EINTR { throw Errno("epoll_pwait") }
        if isAlone { isFull = false }
        for event in events.prefix(Int(max(count, 0))) {
            if event.data.fd == listener { waiting = true }
            guard let client = clients[event.data.fd] else { continue }
            if event.events & ~EPOLLOUT.rawValue != 0 { client.readable = true }
            if !client.isQueued { queue.append(client) }
            client.isQueued = true
        }
        for _ in 0..<min(queue.count, 64) {
            let client = queue.removeFirst()
            client.isQueued = false
            let more = client.step()
            if more == nil {
                clients[client.socket] = nil
                isFull = false
            }
            if more == true {
                queue.append(client)
                client.isQueued = true
            }
        }
    }
}
