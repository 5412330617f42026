// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// How figures and failures write a call: with the names of the manual, never with numbers that stand
/// for names.
extension TraceEvent {
    /// The call with the arguments that matter: `read(5)`, `recvfrom(3, MSG_PEEK)`, `close(7)`,
    /// `setsockopt(3, SO_RCVTIMEO 20 ms)`, `poll(3 in, 5 out)`.
    public var question: String {
        if let watching { return watching }
        let details = call.row?.kind == .managing ? managed : messageFlags
        let words = [call.row?.takesDescriptor == true ? "\(call.descriptor)" : nil, details]
        let list = words.compactMap { $0 }.joined(separator: ", ")
        return list.isEmpty ? call.name : "\(call.name)(\(list))"
    }

    /// What it returned: `9`, `EAGAIN`, `ready: 5 in`; `…` while it has not.
    public var answer: String {
        guard let result else { return "…" }
        if result < 0 { return errorName(CInt(clamping: -result)) }
        return tidings ?? "\(result)"
    }

    /// The port that a sendto names; nil if it names none.
    package var destination: UInt16? {
        guard number == SYS_sendto, asked.count == MemoryLayout<sockaddr_in>.size else {
            return nil
        }
        return CallMemory.values(sockaddr_in.self, in: asked).first.map {
            UInt16(bigEndian: $0.sin_port)
        }
    }

    private var messageFlags: String? {
        let flags: [(Int, String)] = [
            (MSG_DONTWAIT, "MSG_DONTWAIT"), (MSG_PEEK, "MSG_PEEK"), (MSG_OOB, "MSG_OOB"),
            (MSG_WAITALL, "MSG_WAITALL"), (MSG_TRUNC, "MSG_TRUNC"), (0x8000, "MSG_MORE"),
        ].map { (Int($0.0), $0.1) }
        let found = flags.filter { Int(call.messageFlags) & $0.0 != 0 }.map(\.1)
        return found.isEmpty ? nil : found.joined(separator: "|")
    }

    private var managed: String? {
        switch number {
        case SYS_setsockopt, SYS_getsockopt:
            guard let option = SocketOption(self) else { return "option \(arguments[2])" }
            return option.description
        case SYS_fcntl: return controlled
        case SYS_shutdown:
            let names = ["SHUT_RD", "SHUT_WR", "SHUT_RDWR"]
            return arguments[1] < 3 ? names[Int(arguments[1])] : nil
        default: return nil
        }
    }

    private var controlled: String? {
        let names: [CInt: String] = [
            F_GETFL: "F_GETFL", F_SETFL: "F_SETFL", F_GETFD: "F_GETFD", F_SETFD: "F_SETFD",
            F_DUPFD: "F_DUPFD", 1030: "F_DUPFD_CLOEXEC", F_SETOWN: "F_SETOWN", 10: "F_SETSIG",
            F_SETLK: "F_SETLK", F_SETLKW: "F_SETLKW",
        ]
        let command = CInt(truncatingIfNeeded: arguments[1])
        guard let name = names[command] else { return nil }
        guard command == F_SETFL else { return name }
        let flags: [(CInt, String)] = [
            (O_NONBLOCK, "O_NONBLOCK"), (O_ASYNC, "O_ASYNC"), (O_APPEND, "O_APPEND"),
        ]
        let value = CInt(truncatingIfNeeded: arguments[2])
        let set = flags.filter { value & $0.0 != 0 }.map(\.1)
        return "\(name) \(set.isEmpty ? "none" : set.joined(separator: "|"))"
    }
}

/// An option of a socket and, where a call sets it, its value. See socket(7), tcp(7), ip(7).
package struct SocketOption: Equatable, Sendable {
    /// Its name in the manual.
    package let name: String
    /// Its value in words: `1`, `20 ms`, `on, 0 s`; nil where it is only asked for.
    package let value: String?

    /// Its name and value, as in `SO_RCVTIMEO 20 ms`.
    package var description: String { value.map { "\(name) \($0)" } ?? name }

    private static let names: [CInt: [CInt: String]] = [
        SOL_SOCKET: [
            SO_REUSEADDR: "SO_REUSEADDR", SO_REUSEPORT: "SO_REUSEPORT", SO_LINGER: "SO_LINGER",
            SO_RCVTIMEO: "SO_RCVTIMEO", SO_SNDTIMEO: "SO_SNDTIMEO", SO_RCVBUF: "SO_RCVBUF",
            SO_SNDBUF: "SO_SNDBUF", SO_RCVLOWAT: "SO_RCVLOWAT", SO_ERROR: "SO_ERROR",
            SO_KEEPALIVE: "SO_KEEPALIVE", SO_TYPE: "SO_TYPE", SO_OOBINLINE: "SO_OOBINLINE",
        ],
        CInt(IPPROTO_TCP): [
            TCP_NODELAY: "TCP_NODELAY", TCP_CORK: "TCP_CORK",
            TCP_DEFER_ACCEPT: "TCP_DEFER_ACCEPT", TCP_QUICKACK: "TCP_QUICKACK",
            TCP_USER_TIMEOUT: "TCP_USER_TIMEOUT", TCP_INFO: "TCP_INFO",
        ],
        CInt(IPPROTO_IP): [IP_RECVERR: "IP_RECVERR", IP_PKTINFO: "IP_PKTINFO"],
    ]

    /// Nil for a call that is none of setsockopt and getsockopt, and for an option without a name here.
    init?(_ event: TraceEvent) {
        let level = CInt(truncatingIfNeeded: event.arguments[1])
        let option = CInt(truncatingIfNeeded: event.arguments[2])
        guard event.number == SYS_setsockopt || event.number == SYS_getsockopt,
            let name = Self.names[level]?[option]
        else { return nil }
        self.name = name
        value = event.asked.isEmpty ? nil : Self.value(of: name, event.asked)
    }

    private static func value(of name: String, _ bytes: [UInt8]) -> String? {
        switch name {
        case "SO_RCVTIMEO", "SO_SNDTIMEO":
            CallMemory.values(timeval.self, in: bytes).first.map {
                "\($0.tv_sec * 1000 + Int($0.tv_usec) / 1000) ms"
            }
        case "SO_LINGER":
            CallMemory.values(linger.self, in: bytes).first.map {
                $0.l_onoff == 0 ? "off" : "on, \($0.l_linger) s"
            }
        default: CallMemory.values(CInt.self, in: bytes).first.map { "\($0)" }
        }
    }
}
