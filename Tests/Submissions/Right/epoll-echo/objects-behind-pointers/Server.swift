// Right: `data.ptr` leads to an object for each client; readv and writev; ended after the turn.

import CLinux
import Glibc
import Nonblocking
import Support

private final class Client {
    let socket: CInt
    var unsent: [UInt8] = []
    var isOver = false
    init(_ socket: CInt) { self.socket = socket }
}

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    guard change(epoll, EPOLL_CTL_ADD, listener, EPOLLIN.rawValue, nil) else {
        throw Errno("epoll_ctl")
    }
    var events = [epoll_event](repeating: epoll_event(), count: 1000)
    var number = 0
    var isFull = false
    while true {
        // Full, and nobody can leave: then the clock says when to try again.
        let isAlone = isFull && number == 0
        let count = epoll_wait(epoll, &events, CInt(events.count), isAlone ? 100 : -1)
        guard count != -1 else {
            if errno == EINTR { continue }
            throw Errno("epoll_wait")
        }
        var gone: [Unmanaged<Client>] = []
        var hasGuests = isAlone
        for event in events.prefix(Int(count)) {
            guard let pointer = event.data.ptr else {
                hasGuests = true
                continue
            }
            let box = Unmanaged<Client>.fromOpaque(pointer)
            let client = box.takeUnretainedValue()
            serveOne(client, epoll)
            if client.isOver { gone.append(box) }
        }
        for box in gone {
            close(box.takeUnretainedValue().socket)
            box.release()
        }
        number -= gone.count
        guard hasGuests || isFull && !gone.isEmpty else { continue }
        let wasFull = isFull
        isFull = try !takeGuests(listener, epoll, &number)
        if isFull != wasFull {
            _ = change(epoll, EPOLL_CTL_MOD, listener, isFull ? 0 : EPOLLIN.rawValue, nil)
        }
    }
}

private func takeGuests(
    _ listener: CInt, _ epoll: CInt, _ number: inout Int
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            let box = Unmanaged.passRetained(Client(connection.socket))
            let isIn = change(
                epoll, EPOLL_CTL_ADD, connection.socket, EPOLLIN.rawValue, box.toOpaque())
            if isIn {
                number += 1
                continue
            }
            box.release()
            close(connection.socket)
        }
        return true
    } catch {
        switch error.number {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return false
        default: throw error
        }
    }
}

private func serveOne(_ client: Client, _ epoll: CInt) {
    let wasSending = !client.unsent.isEmpty
    if !wasSending {
        client.unsent = [UInt8](unsafeUninitializedCapacity: 100_000) { buffer, count in
            var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
            let got = readv(client.socket, &vector, 1)
            count = max(got, 0)
            if got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR) { client.isOver = true }
        }
    }
    while !client.isOver, !client.unsent.isEmpty {
        let count = client.unsent.withUnsafeMutableBytes { bytes in
            var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return writev(client.socket, &vector, 1)
        }
        if count >= 0 {
            client.unsent.removeFirst(count)
        } else if errno == EAGAIN {
            break
        } else if errno != EINTR {
            client.isOver = true
        }
    }
    guard !client.isOver, client.unsent.isEmpty == wasSending else { return }
    let events = client.unsent.isEmpty ? EPOLLIN : EPOLLOUT
    let pointer = Unmanaged.passUnretained(client).toOpaque()
    _ = change(epoll, EPOLL_CTL_MOD, client.socket, events.rawValue, pointer)
}

private func change(
    _ epoll: CInt, _ operation: CInt, _ socket: CInt, _ events: UInt32,
    _ pointer: UnsafeMutableRawPointer?
) -> Bool {
    var event = epoll_event(events: events, data: epoll_data_t(ptr: pointer))
    return epoll_ctl(epoll, operation, socket, &event) == 0
}
