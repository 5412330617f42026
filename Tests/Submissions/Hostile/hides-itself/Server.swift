// Caught by: blocking-tcp.testEchoesALine
// Says: made itself unobservable
// The attack: nobody may see any more what it does, so that nothing can be held against it.

import CLinux
import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    _ = prctl4(PR_SET_DUMPABLE, 0, 0, 0, 0)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let client = accept(listener, nil, nil)
        while case let count = recv(client, &buffer, buffer.count, 0), count > 0 {
            send(client, buffer, count, Int32(MSG_NOSIGNAL))
        }
        close(client)
    }
}

/// A listener, as in the reference.
private func openListener(port: UInt16) throws(Errno) -> CInt {
    // SOCK_CLOEXEC: a program that this one might start does not inherit the descriptor.
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener != -1 else { throw Errno("socket") }
    do throws(Errno) {
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        // Without this, connections of an earlier run that sit in TIME_WAIT keep the port for a minute.
        guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
            throw Errno("setsockopt")
        }
        let address = SocketAddress.loopback(port: port)
        guard address.withSockaddr({ bind(listener, $0, $1) }) != -1 else { throw Errno("bind") }
        guard listen(listener, SOMAXCONN) != -1 else { throw Errno("listen") }
        return listener
    } catch {
        close(listener)
        throw error
    }
}
