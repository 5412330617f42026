// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// One of a server's sockets, as the kernel describes it.
package struct SocketFacts: Equatable, Sendable {
    /// What kind of socket it is, and what phase of its life it is in.
    package enum State: Equatable, Sendable {
        /// Connections wait in its backlog.
        case listens(waiting: Int)
        case datagrams(dropped: Int)
        /// Both sides may send.
        case open
        /// The client has finished sending, and the server has not closed it.
        case clientHasFinished
        /// The client has reset the connection, and the server has not closed it.
        case clientHasReset
        case other
    }

    package let descriptor: CInt
    package let state: State
    /// The client's name, where the check knows it.
    package var client: String?
    /// Bytes that have come and nobody has read (Recv-Q).
    package var unread = 0
    /// Bytes that were handed to the kernel and that the client has not taken (Send-Q).
    package var unsent = 0
    /// Options that change how calls wait and end, where they are not as usual: `SO_RCVTIMEO`, in
    /// milliseconds; `SO_LINGER`, in seconds; `SO_RCVLOWAT` and `SO_RCVBUF`, in bytes; `TCP_CORK`,
    /// `SO_OOBINLINE` and `SO_REUSEPORT`.
    package var options: [String: Int] = [:]

    /// A socket of which nothing else is known.
    package init(descriptor: CInt, state: State) {
        self.descriptor = descriptor
        self.state = state
    }
}

extension ServerProcess {
    /// How many sockets are looked at: a check has failed, and its time is short.
    private static let mostSockets = 400

    /// Its sockets, through copies of them; none where this machine does not allow that.
    func socketFacts() -> [SocketFacts] {
        let all = proc.descriptors().filter { $0.value.hasPrefix("socket:") }.keys.sorted()
        return all.prefix(Self.mostSockets).compactMap { descriptor in
            let copy = pidfd_getfd_call(process.pidfd, descriptor)
            guard copy != -1 else { return nil }
            defer { close(copy) }
            return describe(copy, as: descriptor)
        }
    }

    private func describe(_ copy: CInt, as descriptor: CInt) -> SocketFacts {
        var facts = SocketFacts(descriptor: descriptor, state: state(of: copy))
        facts.client = peerPort(of: copy).flatMap { names[$0] }
        if facts.state != .other {
            facts.unread = queue(copy, UInt(FIONREAD))
            facts.unsent = queue(copy, UInt(SIOCOUTQ))
        }
        let limit = timeval()
        for (name, option) in [("SO_RCVTIMEO", SO_RCVTIMEO), ("SO_SNDTIMEO", SO_SNDTIMEO)] {
            let value = ask(copy, SOL_SOCKET, option, limit)
            let milliseconds = value.tv_sec * 1000 + Int(value.tv_usec) / 1000
            if milliseconds > 0 { facts.options[name] = milliseconds }
        }
        let linger = ask(copy, SOL_SOCKET, SO_LINGER, linger())
        if linger.l_onoff != 0 { facts.options["SO_LINGER"] = Int(linger.l_linger) }
        let lowest = ask(copy, SOL_SOCKET, SO_RCVLOWAT, CInt(1))
        if lowest > 1 { facts.options["SO_RCVLOWAT"] = Int(lowest) }
        if ask(copy, CInt(IPPROTO_TCP), TCP_CORK, CInt(0)) != 0 { facts.options["TCP_CORK"] = 1 }
        if ask(copy, SOL_SOCKET, SO_OOBINLINE, CInt(0)) != 0 { facts.options["SO_OOBINLINE"] = 1 }
        if ask(copy, SOL_SOCKET, SO_REUSEPORT, CInt(0)) != 0 { facts.options["SO_REUSEPORT"] = 1 }
        // The smallest buffer that a system gives by itself is far larger.
        let buffer = ask(copy, SOL_SOCKET, SO_RCVBUF, CInt(1 << 20))
        if buffer < 32_768 { facts.options["SO_RCVBUF"] = Int(buffer) }
        return facts
    }

    /// In TCP_INFO of a listening socket the field `tcpi_unacked` is the length of the backlog.
    private func state(of copy: CInt) -> SocketFacts.State {
        if ask(copy, SOL_SOCKET, SO_TYPE, CInt(0)) == CInt(SOCK_DGRAM.rawValue) {
            // SO_MEMINFO; its ninth number counts what was dropped. See sock_diag(7).
            let numbers = ask(
                copy, SOL_SOCKET, 55, (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt32(0)))
            return .datagrams(dropped: Int(numbers.4))
        }
        var info = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        getsockopt(copy, CInt(IPPROTO_TCP), TCP_INFO, &info, &size)
        switch info.tcpi_state {
        case 10: return .listens(waiting: Int(info.tcpi_unacked))
        case 1: return .open
        case 8: return .clientHasFinished
        case 7: return .clientHasReset
        default: return .other
        }
    }

    private func peerPort(of copy: CInt) -> UInt16? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(copy, $0, &size) }
        }
        return result == 0 ? UInt16(bigEndian: address.sin_port) : nil
    }

    private func queue(_ copy: CInt, _ request: UInt) -> Int {
        var count: CInt = 0
        return ioctl(copy, request, &count) == 0 ? Int(count) : 0
    }

    /// The value of an option, or `value` as it was where the socket has none.
    private func ask<Value: BitwiseCopyable>(
        _ copy: CInt, _ level: CInt, _ option: CInt, _ value: Value
    ) -> Value {
        var answer = value
        var size = socklen_t(MemoryLayout<Value>.size)
        return getsockopt(copy, level, option, &answer, &size) == 0 ? answer : value
    }
}
