// SPDX-License-Identifier: MIT

import Glibc

/// A system call that failed, and the reason that it left.
///
/// A call reports failure by returning -1 and leaving the reason in the thread's `errno`. The next
/// call may overwrite it, so take it at once: `guard n != -1 else { throw Errno("read") }`.
/// See errno(3).
public struct Errno: Error, Sendable {
    /// The call that failed, as in `accept`.
    public let call: String
    /// The reason, as in `EINTR` or `ECONNRESET`.
    public let number: CInt

    /// The reason why this thread's last call failed; `call` is its name.
    public init(_ call: String) { self.init(call, number: errno) }

    /// A reason that a call has given in another way: the pthread calls return it.
    public init(_ call: String, number: CInt) {
        self.call = call
        self.number = number
    }
}

extension Errno: CustomStringConvertible {
    /// The call, the C library's sentence and the number: `bind: Address already in use (errno 98)`.
    public var description: String {
        "\(call): \(String(cString: strerror(number))) (errno \(number))"
    }
}
