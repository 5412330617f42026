// SPDX-License-Identifier: MIT

import Glibc

/// One row of the kernel's table of sockets. See proc_net(5), /proc/net/tcp and /proc/net/udp.
public struct SocketRow: Equatable, Sendable {
    /// The socket's own address, as `127.0.0.1` and its port.
    public let localHost: String
    /// The socket's own port.
    public let localPort: UInt16
    /// The peer's port; 0 while there is none.
    public let remotePort: UInt16
    /// What phase of its life it is in.
    public let state: State
    /// Bytes handed to the kernel that the peer has not yet acknowledged (Send-Q).
    public let sendQueue: Int
    /// Bytes that have come and nobody has read (Recv-Q). Of a listener: connections not yet
    /// accepted.
    public let receiveQueue: Int
    /// The socket's inode, as in `socket:[56664]`; 0 until accept(2) has given it a descriptor.
    public let inode: Int

    /// The states of TCP that the harness asks for, by the kernel's numbers.
    public enum State: Int, Sendable {
        /// Both sides may send.
        case established = 1
        /// A request to connect that nobody has answered yet.
        case synSent = 2
        /// The peer has finished, this side not.
        case closeWait = 8
        /// A listener.
        case listen = 10
        /// Any other.
        case other = 0
    }
}

/// The kernel's tables of IPv4 sockets.
public enum SocketTable {
    /// The TCP sockets that have `port` on either side.
    public static func tcp(port: UInt16) -> [SocketRow] {
        rows(of: "/proc/net/tcp", port: port)
    }

    /// The listener on `port`, or nil when there is none.
    public static func listener(port: UInt16) -> SocketRow? {
        switch SocketDiagnosis.tcp(port: port, remotePort: nil) {
        case .row(let row): row
        case .none: nil
        case .unavailable:
            tcp(port: port).first { $0.localPort == port && $0.state == .listen }
        }
    }

    /// The side of a connection that has `port` as its own and `remotePort` as the peer's.
    public static func connection(port: UInt16, remotePort: UInt16) -> SocketRow? {
        switch SocketDiagnosis.tcp(port: port, remotePort: remotePort) {
        case .row(let row): row
        case .none: nil
        case .unavailable:
            tcp(port: port).first { $0.localPort == port && $0.remotePort == remotePort }
        }
    }

    /// The UDP socket on `port`, or nil when there is none.
    public static func udp(port: UInt16) -> SocketRow? {
        rows(of: "/proc/net/udp", port: port).first { $0.localPort == port }
    }

    /// The rows that have a port on either side. The table may hold thousands of connections that have
    /// ended (TIME_WAIT), so the port is looked for in the text before a row is taken apart.
    private static func rows(of path: String, port: UInt16) -> [SocketRow] {
        let digits = String(port, radix: 16, uppercase: true)
        let pattern = ":" + String(repeating: "0", count: 4 - digits.count) + digits + " "
        guard let text = readBytes(path).map({ $0 + [0] }) else { return [] }
        var rows: [SocketRow] = []
        text.withUnsafeBufferPointer { bytes in
            var rest = UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
            while let from = rest, let found = strstr(from, pattern) {
                var start = UnsafePointer(found)
                while start > from, start[-1] != 0x0a { start -= 1 }
                let end = UnsafePointer(strchr(found, 0x0a))
                let length = end.map { $0 - start } ?? 0
                let line = UnsafeRawBufferPointer(start: start, count: length)
                if let row = row(String(decoding: line, as: UTF8.self)[...]),
                    row.localPort == port || row.remotePort == port
                {
                    rows.append(row)
                }
                rest = end
            }
        }
        return rows
    }

    // sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout
    // inode
    private static func row(_ line: Substring) -> SocketRow? {
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count > 9 else { return nil }
        let local = words[1].split(separator: ":")
        let remote = words[2].split(separator: ":")
        let queues = words[4].split(separator: ":")
        guard let host = UInt32(local[0], radix: 16), let port = UInt16(local[1], radix: 16),
            let remotePort = UInt16(remote[1], radix: 16), let state = Int(words[3], radix: 16),
            let sending = Int(queues[0], radix: 16), let receiving = Int(queues[1], radix: 16),
            let inode = Int(words[9])
        else { return nil }
        // The address is printed as a number in the processor's own byte order.
        let bytes = withUnsafeBytes(of: host) { $0.map(String.init) }
        return SocketRow(
            localHost: bytes.joined(separator: "."), localPort: port, remotePort: remotePort,
            state: SocketRow.State(rawValue: state) ?? .other, sendQueue: sending,
            receiveQueue: receiving, inode: inode)
    }
}
