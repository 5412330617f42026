// Right: A buffer of 1 MiB from malloc for each thread; recvmsg and sendmsg.

import Glibc
import Support

/// Accepts clients forever, and gives each of them a thread of its own.
func serve(_ listener: CInt) throws(Errno) {
    signal(SIGPIPE, SIG_IGN)
    while true {
        let connection = accept(listener, nil, nil)
        guard connection != -1 else {
            switch errno {
            case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN,
                ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET:
                break
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: poll(nil, 0, 100)
            default: throw Errno("accept")
            }
            continue
        }
        do throws(Errno) {
            let thread = try createThread { echo(connection) }
            pthread_detach(thread)
        } catch {
            note("no thread for client \(connection): \(error)")
            close(connection)
        }
    }
}

/// Sends everything back until the client sends no more, and closes the connection.
func echo(_ connection: CInt) {
    let room = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 16)
    let part = UnsafeMutablePointer<iovec>.allocate(capacity: 1)
    defer {
        close(connection)
        part.deallocate()
        room.deallocate()
    }
    var message = msghdr()
    message.msg_iov = part
    message.msg_iovlen = 1
    while true {
        part.initialize(to: iovec(iov_base: room, iov_len: 1 << 20))
        let count = recvmsg(connection, &message, 0)
        if count == -1, errno == EINTR { continue }
        guard count > 0 else { return }
        var written = 0
        while written < count {
            part.initialize(to: iovec(iov_base: room + written, iov_len: count - written))
            let taken = sendmsg(connection, &message, Int32(MSG_NOSIGNAL))
            guard taken != -1 || errno == EINTR else { return }
            written += max(taken, 0)
        }
    }
}
