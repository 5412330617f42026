// Right: A sockaddr_storage of its own and a temporary buffer instead of an array.

import Glibc
import Support

/// Sends every datagram back to the address that it came from, forever.
func serve(_ socket: CInt) throws(Errno) {
    let reason = withUnsafeTemporaryAllocation(byteCount: 65_535, alignment: 16) { room in
        while answer(socket, room) {}
        return Errno("recvfrom")
    }
    throw reason
}

/// Answers one datagram. False, and errno, when recvfrom has failed.
private func answer(_ socket: CInt, _ room: UnsafeMutableRawBufferPointer) -> Bool {
    var sender = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &sender) { storage in
        storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            let count = recvfrom(socket, room.baseAddress, room.count, 0, address, &length)
            guard count >= 0 else { return errno == EINTR }
            while sendto(socket, room.baseAddress, count, 0, address, length) == -1 {
                guard errno == EINTR else { break }
            }
            return true
        }
    }
}
