// SPDX-License-Identifier: MIT

import CLinux
import Glibc
public import Support

/// A client of an echo server that never waits for one client alone: its nonblocking socket, and the
/// bytes that are still to be sent to it.
///
/// You write this one yourself in `nonblocking-tcp`; from then on it is given. It keeps one promise
/// that all the servers rest on: as long as bytes are unsent, it reads no more. A client that sends
/// and never reads costs the server one buffer, however much it sends; the rest waits in the
/// kernel, and TCP slows the client down.
public final class Connection {
    /// The connection's descriptor. Whoever removes the connection closes it.
    public let socket: CInt
    private var unsent: [UInt8] = []

    /// Wraps a connected socket that does not wait (O_NONBLOCK).
    public init(_ socket: CInt) { self.socket = socket }

    /// Whether bytes wait for room in the socket. Then wait for room; otherwise, for bytes.
    public var hasUnsent: Bool { !unsent.isEmpty }

    /// Moves the client on: sends what is unsent, or else echoes what has come.
    ///
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    /// - Returns: False when the client has finished or is gone: then close its socket.
    public func proceed(_ buffer: inout [UInt8]) -> Bool {
        hasUnsent ? send() : receive(&buffer)
    }

    /// Reads once, and sends back as much of it as there is room for. Call it while nothing is unsent.
    ///
    /// See read(2), tcp(7).
    /// - Parameter buffer: Where the bytes go; all connections may share it.
    /// - Returns: False when the client has finished or is gone: then close its socket.
    public func receive(_ buffer: inout [UInt8]) -> Bool {
        while true {
            let count = read(socket, &buffer, buffer.count)
            guard count != -1 else {
                if errno == EINTR { continue }
                // Nothing has come, after all: no reason to give the client up.
                return errno == EAGAIN
            }
            return count > 0 && send(buffer[..<count])
        }
    }

    /// Sends as much of the unsent bytes as there is room for.
    /// - Returns: False when the client is gone: then close its socket.
    public func send() -> Bool { send(unsent[...]) }

    /// Sends as much of `bytes` as there is room for, and keeps the rest.
    private func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            // MSG_NOSIGNAL: a client that is gone gives EPIPE, not SIGPIPE. See send(2).
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count != -1 else {
                if errno == EINTR { continue }
                // No room. Trying again here would keep others waiting: it is for the next turn.
                if errno == EAGAIN { break }
                return false
            }
            rest = rest.dropFirst(count)
        }
        // Often a full socket takes nothing: then there is nothing to copy either.
        if rest.count != unsent.count { unsent = Array(rest) }
        return true
    }
}

/// Takes the next client out of the backlog, without waiting for one.
///
/// See accept4(2): unlike accept, it sets the flags of the connection in the same call.
/// - Parameter listener: A listening socket that does not wait (O_NONBLOCK).
/// - Returns: The client, or nil when nobody is waiting.
/// - Throws: The `Errno` of accept4. Its `acceptFailure` says whether there is no room, so that the
///   client stays in the backlog, or whether the listener itself is broken.
public func acceptConnection(_ listener: CInt) throws(Errno) -> Connection? {
    while true {
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = accept4(listener, nil, nil, flags)
        if socket != -1 { return Connection(socket) }
        let error = Errno("accept4")
        if error.number == EAGAIN { return nil }
        if error.acceptFailure != .tryNext { throw error }
    }
}
