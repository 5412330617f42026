// SPDX-License-Identifier: MIT

import Glibc
public import Support

/// A TCP socket that listens on 127.0.0.1.
///
/// You write this one yourself in `blocking-tcp`; from then on it is given.
/// See tcp(7), listen(2).
/// - Parameter port: The port, or 0 to let the kernel choose.
/// - Returns: The listening descriptor. The caller closes it.
/// - Throws: The `Errno` of the call that failed; `EADDRINUSE` if somebody listens there already.
public func openListener(port: UInt16) throws(Errno) -> CInt {
    let listener = try openSocket(SOCK_STREAM)
    do throws(Errno) {
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        // A server that was just stopped leaves connections in TIME_WAIT, and they hold its port.
        guard setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, size) != -1 else {
            throw Errno("setsockopt")
        }
        try bindToLoopback(listener, port: port)
        // 1,024 finished connections may wait for accept(2).
        guard listen(listener, 1024) != -1 else { throw Errno("listen") }
        return listener
    } catch {
        close(listener)
        throw error
    }
}

/// A UDP socket bound to 127.0.0.1. There is nothing to listen for: datagrams just arrive.
///
/// See udp(7), bind(2).
/// - Parameter port: The port, or 0 to let the kernel choose.
/// - Returns: The bound descriptor. The caller closes it.
/// - Throws: The `Errno` of the call that failed.
public func openDatagramSocket(port: UInt16) throws(Errno) -> CInt {
    let socket = try openSocket(SOCK_DGRAM)
    do throws(Errno) {
        try bindToLoopback(socket, port: port)
        return socket
    } catch {
        close(socket)
        throw error
    }
}

/// A TCP listener and a UDP socket with the same port number: the two protocols do not share their
/// ports.
/// - Parameter port: The port, or 0 to let the kernel choose one for TCP, which UDP then takes too.
/// - Returns: The listener, and the UDP socket. The caller closes them.
/// - Throws: The `Errno` of the call that failed.
public func openListenerAndDatagramSocket(
    port: UInt16
) throws(Errno) -> [CInt] {
    while true {
        let listener = try openListener(port: port)
        do throws(Errno) {
            let chosen = try SocketAddress(of: listener).port
            return [listener, try openDatagramSocket(port: chosen)]
        } catch {
            close(listener)
            // Somebody has this port for UDP. If the kernel chose it, it can choose another one.
            guard error.number == EADDRINUSE, port == 0 else { throw error }
        }
    }
}

private func openSocket(_ type: __socket_type) throws(Errno) -> CInt {
    // SOCK_CLOEXEC: a program that this one starts does not inherit the descriptor. See socket(2).
    let socket = socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard socket != -1 else { throw Errno("socket") }
    return socket
}

private func bindToLoopback(_ socket: CInt, port: UInt16) throws(Errno) {
    let address = SocketAddress.loopback(port: port)
    guard address.withSockaddr({ bind(socket, $0, $1) }) != -1 else { throw Errno("bind") }
}
