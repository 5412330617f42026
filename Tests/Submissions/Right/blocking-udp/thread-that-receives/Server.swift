// Right: A second thread receives, and the first one waits for its end.

import Glibc
import Support
import Synchronization

/// Why the second thread has ended.
private let reason = Mutex<Errno?>(nil)

/// Lets a thread serve, and waits for it.
func serve(_ socket: CInt) throws(Errno) {
    //> your part: serve
    var thread = pthread_t()
    let argument = UnsafeMutableRawPointer(bitPattern: Int(socket))
    let error = pthread_create(
        &thread, nil,
        { argument in
            answer(CInt(Int(bitPattern: argument)))
            return nil
        }, argument)
    guard error == 0 else { throw Errno("pthread_create", number: error) }
    pthread_join(thread, nil)
    if let reason = reason.withLock({ $0 }) { throw reason }
    //< your part: serve
}

/// Sends every datagram back to the address that it came from, until recvfrom fails.
private func answer(_ socket: CInt) {
    var buffer = [UInt8](repeating: 0, count: 65_507)
    var sender = SocketAddress()
    while true {
        let count = sender.withMutableSockaddr { address, length in
            recvfrom(socket, &buffer, buffer.count, 0, address, length)
        }
        guard count != -1 else {
            if errno == EINTR { continue }
            let error = Errno("recvfrom")
            return reason.withLock { $0 = error }
        }
        while true {
            let sent = sender.withSockaddr { address, length in
                sendto(socket, buffer, count, 0, address, length)
            }
            if sent == -1, errno == EINTR { continue }
            if sent == -1 { note("\(sender): \(Errno("sendto"))") }
            break
        }
    }
}
