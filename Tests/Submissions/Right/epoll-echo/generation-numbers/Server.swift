// Right: `data.u64` has a slot and a generation, so that an old event is known as such. It writes a
// line to standard error for each client.

import CLinux
import Glibc
import Nonblocking
import Support

private struct Slot {
    var generation: UInt32 = 0
    var connection: Connection?
}

/// Serves all clients in one thread, forever.
func serve(_ listener: CInt) throws(Errno) {
    try setNonblocking(listener)
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll != -1 else { throw Errno("epoll_create1") }
    var listening = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: .max))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) == 0 else {
        throw Errno("epoll_ctl")
    }
    var slots: [Slot] = []
    var free: [Int] = []
    var buffer = [UInt8](repeating: 0, count: 8192)
    var events = [epoll_event](repeating: epoll_event(), count: 128)
    var isFull = false
    while true {
        let count = epoll_wait(epoll, &events, CInt(events.count), -1)
        if count == -1, errno == EINTR { continue }
        guard count != -1 else { throw Errno("epoll_wait") }
        for event in events.prefix(Int(count)) {
            if event.data.u64 == .max {
                isFull = try !admit(listener, epoll, &slots, &free)
                if isFull, free.count == slots.count {
                    // All slots are free: nobody can leave, so only the clock says when to go on.
                    pauseForRoom()
                    isFull = false
                }
                if !isFull { continue }
                listening.events = 0
                epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &listening)
                continue
            }
            let index = Int(event.data.u64 & 0xffff_ffff)
            guard slots[index].generation == UInt32(event.data.u64 >> 32),
                let connection = slots[index].connection
            else { continue }
            let wasSending = connection.hasUnsent
            let stays = wasSending ? connection.send() : connection.receive(&buffer)
            if stays {
                if connection.hasUnsent == wasSending { continue }
                var entry = event
                entry.events = (wasSending ? EPOLLIN : EPOLLOUT).rawValue
                epoll_ctl(epoll, EPOLL_CTL_MOD, connection.socket, &entry)
                continue
            }
            slots[index].connection = nil
            slots[index].generation &+= 1
            free.append(index)
            close(connection.socket)
            guard isFull else { continue }
            isFull = false
            listening.events = EPOLLIN.rawValue
            epoll_ctl(epoll, EPOLL_CTL_MOD, listener, &listening)
        }
    }
}

private func admit(
    _ listener: CInt, _ epoll: CInt, _ slots: inout [Slot], _ free: inout [Int]
) throws(Errno) -> Bool {
    do throws(Errno) {
        while let connection = try acceptConnection(listener) {
            note("client \(connection.socket) has come")
            if free.isEmpty {
                free.append(slots.count)
                slots.append(Slot())
            }
            let index = free.removeLast()
            slots[index].connection = connection
            let token = UInt64(slots[index].generation) << 32 | UInt64(index)
            var entry = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: token))
            if epoll_ctl(epoll, EPOLL_CTL_ADD, connection.socket, &entry) == 0 { continue }
            slots[index].connection = nil
            free.append(index)
            close(connection.socket)
        }
        return true
    } catch  where error.acceptFailure == .noRoom {
        return false
    }
}
