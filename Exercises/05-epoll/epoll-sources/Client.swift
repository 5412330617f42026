// Given: a client that sends commands and is told lines, and the taking apart of bytes into lines.

import CLinux
import Glibc
import Support

/// A client of the control room: its nonblocking socket, what it has sent of a line so far, and the
/// lines that it is still owed.
struct Client {
    /// The bytes that a client may be owed. One that reads no more would cost more and more memory.
    static let bound = 1 << 20

    /// The connection's descriptor. Whoever removes the client closes it.
    let socket: CInt
    /// Whether epoll is asked for room at present: yours to set, nothing here looks at it.
    var asksForRoom = false
    private var text = Lines()
    private var unsent: [UInt8] = []

    /// Wraps a connected socket that does not wait (O_NONBLOCK).
    init(_ socket: CInt) { self.socket = socket }

    /// Whether bytes wait for room in the socket.
    var hasUnsent: Bool { !unsent.isEmpty }

    /// Reads once. See read(2).
    /// - Returns: The lines that are complete now; nil when the client has finished or is gone.
    mutating func receive(_ buffer: inout [UInt8]) -> [String]? {
        let count = read(socket, &buffer, buffer.count)
        if count > 0 { return text.take(buffer[..<count]) }
        // Nothing there after all, or a signal came first: no reason to give the client up.
        return count == -1 && (errno == EAGAIN || errno == EINTR) ? [] : nil
    }

    /// Tells the client lines: what does not fit into its socket is kept, up to `bound`.
    /// - Returns: False when the client is gone, or owed too much: then close its socket.
    mutating func tell(_ lines: [String]) -> Bool {
        for line in lines { unsent += Array(line.utf8) + [0x0a] }
        return send() && unsent.count <= Self.bound
    }

    /// Sends as much of the unsent bytes as there is room for.
    /// - Returns: False when the client is gone: then close its socket.
    mutating func send() -> Bool {
        var sent = 0
        while sent < unsent.count {
            // MSG_NOSIGNAL: a client that is gone gives EPIPE, not SIGPIPE. See send(2).
            let count = unsent[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count == -1 && errno == EINTR { continue }
            if count == -1 && errno == EAGAIN { break }
            guard count != -1 else { return false }
            sent += count
        }
        unsent.removeFirst(sent)
        return true
    }
}

/// Makes lines of bytes that come in any pieces: the end of the last piece waits for its rest.
struct Lines {
    /// The longest line. What is longer is taken apart: nobody can fill the memory with one line.
    static let longest = 8192
    private var rest: [UInt8] = []

    /// Adds what has come, and gives the lines that are complete now, without their newlines.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> [String] {
        rest += bytes
        var lines: [String] = []
        var start = 0
        while start < rest.count {
            let length = lengthOfLine(from: start)
            guard length < rest.count - start || length == Self.longest else { break }
            lines.append(String(decoding: rest[start..<(start + length)], as: UTF8.self))
            start += length + (length == Self.longest ? 0 : 1)
        }
        rest.removeFirst(start)
        return lines
    }

    /// The bytes up to the next newline, or to the end. memchr(3) is quick, also in a debug build.
    private func lengthOfLine(from start: Int) -> Int {
        rest[start...].prefix(Self.longest).withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            return memchr(base, 0x0a, bytes.count).map { base.distance(to: $0) } ?? bytes.count
        }
    }
}
