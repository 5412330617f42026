// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// Asks the kernel for one TCP socket. /proc/net/tcp lists all of them, and connections that ended in
/// the last minute (TIME_WAIT) may be tens of thousands: reading that takes a tenth of a second.
/// See sock_diag(7).
enum SocketDiagnosis {
    /// What the kernel said.
    enum Answer {
        case row(SocketRow)
        /// There is no such socket.
        case none
        /// This machine does not answer such questions.
        case unavailable
    }

    private struct Question {
        var header = nlmsghdr()
        var request = inet_diag_req_v2()
    }

    /// The socket on 127.0.0.1 with this port of its own and this port of its peer; without one, the
    /// listener.
    static func tcp(port: UInt16, remotePort: UInt16?) -> Answer {
        let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = Glibc.socket(AF_NETLINK, kind, NETLINK_SOCK_DIAG)
        guard socket != -1 else { return .unavailable }
        defer { close(socket) }
        var question = question(port, remotePort)
        let size = MemoryLayout<Question>.size
        var reply = [UInt8](repeating: 0, count: 8192)
        guard send(socket, &question, size, 0) == size else { return .unavailable }
        let count = recv(socket, &reply, reply.count, 0)
        guard count >= MemoryLayout<nlmsghdr>.size else { return .unavailable }
        return reply.withUnsafeBytes { answer($0.prefix(count), isListener: remotePort == nil) }
    }

    private static func question(_ port: UInt16, _ remotePort: UInt16?) -> Question {
        var question = Question()
        question.header.nlmsg_len = UInt32(MemoryLayout<Question>.size)
        question.header.nlmsg_type = UInt16(SOCK_DIAG_BY_FAMILY)
        question.header.nlmsg_flags = UInt16(NLM_F_REQUEST)
        question.request.sdiag_family = UInt8(AF_INET)
        question.request.sdiag_protocol = UInt8(IPPROTO_TCP)
        question.request.idiag_states = ~0
        question.request.id.idiag_sport = port.bigEndian
        question.request.id.idiag_src.0 = INADDR_LOOPBACK.bigEndian
        if let remotePort {
            question.request.id.idiag_dport = remotePort.bigEndian
            question.request.id.idiag_dst.0 = INADDR_LOOPBACK.bigEndian
        }
        // No cookie: whichever socket has these addresses.
        question.request.id.idiag_cookie = (~0, ~0)
        return question
    }

    private static func answer(_ bytes: Slice<UnsafeRawBufferPointer>, isListener: Bool) -> Answer {
        let reply = UnsafeRawBufferPointer(rebasing: bytes)
        let header = reply.loadUnaligned(as: nlmsghdr.self)
        let start = MemoryLayout<nlmsghdr>.size
        if header.nlmsg_type == UInt16(NLMSG_ERROR) {
            let reason = reply.loadUnaligned(fromByteOffset: start, as: Int32.self)
            return reason == -ENOENT ? .none : .unavailable
        }
        guard reply.count >= start + MemoryLayout<inet_diag_msg>.size else { return .unavailable }
        let found = reply.loadUnaligned(fromByteOffset: start, as: inet_diag_msg.self)
        let state = SocketRow.State(rawValue: Int(found.idiag_state)) ?? .other
        // Without a connection of these addresses the kernel gives the listener of the port.
        guard (state == .listen) == isListener else { return .none }
        let host = withUnsafeBytes(of: found.id.idiag_src.0) { $0.map(String.init) }
        return .row(
            SocketRow(
                localHost: host.joined(separator: "."),
                localPort: UInt16(bigEndian: found.id.idiag_sport),
                remotePort: UInt16(bigEndian: found.id.idiag_dport), state: state,
                sendQueue: Int(found.idiag_wqueue), receiveQueue: Int(found.idiag_rqueue),
                inode: Int(found.idiag_inode)))
    }
}
