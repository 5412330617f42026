// SPDX-License-Identifier: MIT

import Glibc
public import Support

//> setNonblocking
/// Lets no call on this descriptor wait: what would have to wait fails with EAGAIN instead.
///
/// The flag belongs to what the descriptor leads to, the open file description. A copy made by
/// dup(2) or fork(2) shares it; a connection made by accept(2) does not inherit it from its
/// listener. See F_SETFL in fcntl(2).
/// - Throws: The `Errno` of fcntl, if `descriptor` is not open.
public func setNonblocking(_ descriptor: CInt) throws(Errno) {
    let flags = fcntl(descriptor, F_GETFL)
    // Read first, then add one flag: F_SETFL with O_NONBLOCK alone would clear the others.
    guard flags != -1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 else {
        throw Errno("fcntl")
    }
}
//< setNonblocking
