// Right: It reads into a buffer of each client's own while that holds less than 64 KiB, then sends,
// and reads on as soon as there is room. It takes a socket out of the interest list before close.

import CLinux
import Glibc
import Nonblocking
import Support

struct Peer {
    var mayRead = false
    var mayWrite = false
    var hasEnded = false
    var held: [UInt8] = []

    mutating func read(_ socket: CInt, atMost limit: Int) -> (count: Int, isGone: Bool) {
        var total = 0
        while mayRead, !hasEnded, held.count < 65_536, total < limit {
            let old = held.count
            held += [UInt8](repeating: 0, count: 8_192)
            let count = held.withUnsafeMutableBytes {
                recv(socket, $0.baseAddress?.advanced(by: old), 8_192, Int32(MSG_DONTWAIT))
            }
            let reason = errno
            held.removeLast(8_192 - max(0, count))
            if count > 0 {
                total += count
            } else if count == 0 {
                hasEnded = true
            } else if reason == EAGAIN {
                mayRead = false
            } else if reason != EINTR {
                return (total, true)
            }
        }
        return (total, false)
    }

    mutating func write(_ socket: CInt) -> Bool {
        var done = 0
        while mayWrite, done < held.count {
            let count = held.withUnsafeBytes {
                send(
                    socket, $0.baseAddress?.advanced(by: done), $0.count - done,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count > 0 { done += count }
            if count == -1, errno == EAGAIN { mayWrite = false }
            if count == -1, errno != EAGAIN, errno != EINTR { return false }
        }
        held.removeFirst(done)
        return true
    }
}

func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    let all = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    var peers: [CInt: Peer] = [:]
    var mine: Set<CInt> = []
    var event = epoll_event(events: all, data: epoll_data(fd: listener))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0 else { throw Errno("epoll_ctl") }
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    var knocks = false
    var isFull = false
    while true {
        let count = epoll_wait(epoll, &events, 64, mine.isEmpty ? -1 : 0)
        if count == -1, errno != EINTR { throw Errno("epoll_wait") }
        for event in events.prefix(max(0, Int(count))) {
            let socket = event.data.fd
            if socket == listener { knocks = true }
            guard peers[socket] != nil else { continue }
            if event.events & ~EPOLLOUT.rawValue != 0 { peers[socket]?.mayRead = true }
            if event.events & ~EPOLLIN.rawValue != 0 { peers[socket]?.mayWrite = true }
            mine.insert(socket)
        }
        for socket in mine {
            var left = 131_072
            var isOver = false
            var hasMore = true
            while hasMore, left > 0, !isOver, var peer = peers[socket] {
                peers[socket] = nil
                let (count, isGone) = peer.read(socket, atMost: left)
                left -= count
                isOver = isGone || !peer.write(socket) || peer.hasEnded && peer.held.isEmpty
                hasMore = peer.held.isEmpty ? peer.mayRead : peer.mayWrite
                peers[socket] = peer
            }
            if isOver {
                peers[socket] = nil
                epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nil)
                close(socket)
                isFull = false
            }
            if isOver || !hasMore { mine.remove(socket) }
        }
        while knocks, !isFull {
            let socket = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
            if socket == -1 {
                let error = Errno("accept4")
                switch error.acceptFailure {
                case .tryNext: continue
                case .noRoom:
                    // Without a client nobody can leave, and no edge comes: then pause, and go on.
                    isFull = !peers.isEmpty
                    if !isFull { pauseForRoom() }
                case .broken:
                    guard error.number == EAGAIN else { throw error }
                    knocks = false
                }
                continue
            }
            event = epoll_event(events: all, data: epoll_data(fd: socket))
            if epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0 {
                peers[socket] = Peer()
            } else {
                close(socket)
            }
        }
    }
}
