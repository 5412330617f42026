// SPDX-License-Identifier: MIT

import Glibc

/// The error number of a system call that failed.
///
/// A call reports failure by returning -1 and leaving the reason in the thread's `errno`. The next
/// call may overwrite it, so read it at once: `guard n != -1 else { throw .current }`.
/// See errno(3).
public struct Errno: RawRepresentable, Error, Hashable, Sendable {
    /// The number, as in `EINTR` or `ECONNRESET`. Any value is legal.
    public let rawValue: CInt

    /// Wraps a number that a call has left in `errno`.
    public init(rawValue: CInt) { self.rawValue = rawValue }

    /// The reason why this thread's last failed call failed.
    public static var current: Errno { Errno(rawValue: errno) }

    /// A signal arrived before the call had done anything. Call it again. See signal(7).
    public static let interrupted = Errno(rawValue: EINTR)

    /// The call would have to wait, and was asked not to. On Linux EAGAIN and EWOULDBLOCK are
    /// equal.
    public static let wouldBlock = Errno(rawValue: EAGAIN)

    /// The peer has ended the connection with a reset instead of an orderly end. See tcp(7).
    public static let connectionReset = Errno(rawValue: ECONNRESET)

    /// The peer, or this side, has closed the direction in which a write was tried. See write(2).
    public static let brokenPipe = Errno(rawValue: EPIPE)
}

extension Errno: CustomStringConvertible {
    /// The C library's sentence and the number: `Address already in use (errno 98)`.
    public var description: String { "\(String(cString: strerror(rawValue))) (errno \(rawValue))" }
}
