// Right: A read that gives less than asked for counts as EAGAIN, unless EPOLLRDHUP has told that
// the end is behind it. One call less for each message. It writes a line to standard error for each
// client.

import CLinux
import Glibc
import Nonblocking
import Support

struct Connection {
    var isReadable = false
    var seesEnd = false
    var unsent: ArraySlice<UInt8> = []
}

enum Verdict { case rests, goesOn, isOver }

func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    let wanted = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    var connections: [CInt: Connection] = [:]
    var pool = [UInt8](repeating: 0, count: 16_384)
    var events = [epoll_event](repeating: epoll_event(), count: 32)
    var goingOn: [CInt] = []
    var mayAccept = false
    var isFull = false
    var event = epoll_event(events: wanted, data: epoll_data(fd: listener))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != -1 else { throw Errno("epoll_ctl") }
    while true {
        // No edge comes for those who found no room. When nobody can leave, the clock says when to
        // go on.
        let isAlone = mayAccept && connections.isEmpty
        let count = epoll_wait(epoll, &events, 32, isAlone ? 100 : goingOn.isEmpty ? -1 : 0)
        if count == -1 && errno == EINTR { continue }
        guard count != -1 else { throw Errno("epoll_wait") }
        var turns: [CInt] = []
        for event in events[..<Int(count)] {
            let socket = event.data.fd
            if socket == listener {
                mayAccept = true
                continue
            }
            if event.events != EPOLLOUT.rawValue { connections[socket]?.isReadable = true }
            if event.events & ~(EPOLLIN.rawValue | EPOLLOUT.rawValue) != 0 {
                connections[socket]?.seesEnd = true
            }
            turns.append(socket)
        }
        // First those who are new here, then those who were here before.
        turns += goingOn.filter { !turns.contains($0) }
        goingOn = []
        for socket in turns {
            guard var connection = connections.removeValue(forKey: socket) else { continue }
            switch take(socket, &connection, &pool) {
            case .rests: connections[socket] = connection
            case .goesOn:
                connections[socket] = connection
                goingOn.append(socket)
            case .isOver:
                close(socket)
                isFull = false
            }
        }
        do throws(Errno) {
            while mayAccept, !isFull {
                guard let socket = try acceptConnection(listener)?.socket else {
                    mayAccept = false
                    break
                }
                event = epoll_event(events: wanted, data: epoll_data(fd: socket))
                guard epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != -1 else {
                    close(socket)
                    continue
                }
                note("client \(socket) has come")
                connections[socket] = Connection()
            }
        } catch {
            guard error.acceptFailure == .noRoom else { throw error }
            isFull = !connections.isEmpty
        }
    }
}

private func take(
    _ socket: CInt, _ connection: inout Connection, _ pool: inout [UInt8]
) -> Verdict {
    for _ in 0..<16 {
        while !connection.unsent.isEmpty {
            let count = connection.unsent.withUnsafeBytes {
                send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count == -1 && errno == EAGAIN { return .rests }
            if count == -1 && errno != EINTR { return .isOver }
            connection.unsent = connection.unsent.dropFirst(max(0, count))
        }
        guard connection.isReadable else { return .rests }
        let count = recv(socket, &pool, pool.count, 0)
        if count == 0 { return .isOver }
        if count == -1 && errno == EINTR { continue }
        if count == -1 && errno != EAGAIN { return .isOver }
        if count > 0 { connection.unsent = pool[..<count] }
        connection.isReadable = count == pool.count || count > 0 && connection.seesEnd
    }
    return .goesOn
}
