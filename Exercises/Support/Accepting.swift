// SPDX-License-Identifier: MIT

import Glibc

//> policy
/// What it means for a server that accept(2) has failed, and so what it does next.
public enum AcceptFailure: Sendable {
    /// A signal came first, or this one client is lost: accept the next.
    case tryNext
    /// There is no room for another connection. The clients stay in the backlog, and accept would
    /// fail at once again: leave them there until a client has left.
    case noRoom
    /// The listener itself is broken: the server cannot go on.
    case broken
}

extension Errno {
    /// What this means if accept or accept4 has left it.
    ///
    /// Linux passes on to accept what has happened to the new connection on the network. These
    /// errors belong to that client alone. See accept(2), "Error handling".
    public var acceptFailure: AcceptFailure {
        switch number {
        case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH,
            EHOSTDOWN, EHOSTUNREACH, ENONET:
            .tryNext
        // This process (EMFILE) or the machine (ENFILE) has no descriptor left, or no memory.
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: .noRoom
        default: .broken
        }
    }
}

/// Waits for a tenth of a second, when there is no room for another connection and no client of this
/// server's own is left whose leaving would make some: then only the clock says when to try again.
public func pauseForRoom() {
    usleep(100_000)
}
//< policy
