// Caught by: blocking-tcp.testEchoesALine
// Says: nothing
// The attack: it leaves its process group, so that killing the group does not find it.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    typealias Fork = @convention(c) () -> CInt
    guard let address = dlsym(nil, "fork") else { return }
    let fork = unsafeBitCast(address, to: Fork.self)
    for _ in 1...2 where fork() == 0 {
        setsid()
        if fork() == 0 { while true { pause() } }
        _exit(0)
    }
    while true { pause() }
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
