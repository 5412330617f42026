// Given: a client that sends commands and is told lines, and the taking apart of bytes into lines.

import CLinux
import Glibc
import Support

/// A client of the control room: its nonblocking socket, what it has sent of a line so far, and the
/// lines that are still to be sent to it.
final class Client {
    /// The bytes that may be unsent. A client that reads no more would cost more and more memory.
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
    func receive(_ buffer: inout [UInt8]) -> [String]? {
        while true {
            let count = read(socket, &buffer, buffer.count)
            guard count != -1 else {
                if errno == EINTR { continue }
                // Nothing has come, after all: no reason to give the client up.
                return errno == EAGAIN ? [] : nil
            }
            return count > 0 ? text.take(buffer[..<count]) : nil
        }
    }

    /// Tells the client lines: what does not fit into its socket is kept, up to `bound`.
    /// - Returns: False when the client is gone, or too much is unsent: then close its socket.
    func tell(_ lines: [String]) -> Bool {
        for line in lines { unsent += Array(line.utf8) + [0x0a] }
        return send() && unsent.count <= Self.bound
    }

    /// Sends as much of the unsent bytes as there is room for.
    /// - Returns: False when the client is gone: then close its socket.
    func send() -> Bool {
        var sent = 0
        while sent < unsent.count {
            // MSG_NOSIGNAL: a client that is gone gives EPIPE, not SIGPIPE. See send(2).
            let count = unsent[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count != -1 else {
                if errno == EINTR { continue }
                if errno == EAGAIN { break }
                return false
            }
            sent += count
        }
        unsent.removeFirst(sent)
        return true
    }
}

/// Makes lines of bytes that come in any pieces: the end of the last piece waits for its rest.
struct Lines {
    /// The longest line, in bytes. What is longer is taken apart between two characters: nobody can
    /// fill the memory with one line.
    static let longest = 8192
    private var rest: [UInt8] = []

    /// Adds what has come, and gives the lines that are complete now, without their newlines.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> [String] {
        rest += bytes
        var lines: [String] = []
        var start = 0
        while let (end, next) = line(from: start) {
            lines.append(String(decoding: rest[start..<end], as: UTF8.self))
            start = next
        }
        rest.removeFirst(start)
        return lines
    }

    /// Where the line that begins at `start` ends, and the next one begins; nil if it is not complete.
    private func line(from start: Int) -> (end: Int, next: Int)? {
        if let newline = newline(in: rest[start...].prefix(Self.longest + 1)) {
            return (newline, newline + 1)
        }
        var end = start + Self.longest
        guard end < rest.count else { return nil }
        // In UTF-8 the further bytes of a character are those that begin with the bits 10.
        while end > start + Self.longest - 3, rest[end] & 0xc0 == 0x80 { end -= 1 }
        return (end, end)
    }

    /// Where the first newline is. memchr(3) is quick, also in a debug build.
    private func newline(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { pointer in
            guard let base = pointer.baseAddress else { return nil }
            let found = memchr(base, 0x0a, pointer.count)
            return found.map { bytes.startIndex + base.distance(to: $0) }
        }
    }
}
