// SPDX-License-Identifier: MIT

import Glibc

/// What a server has told the kernel to watch.
extension ServerProcess {
    /// The server's one epoll descriptor and its interest list, as the kernel lists it.
    public func interestList() throws(CheckFailure) -> [Interest] {
        let all = proc.epollDescriptors()
        guard all.count == 1 else {
            throw CheckFailure(
                expected: "one epoll descriptor",
                found: all.isEmpty ? "none" : "\(all.count): \(all.map(String.init))",
                cause: "epoll_create1 is called once. Its list lives as long as its descriptor.")
        }
        guard let list = proc.interestList(of: all[0]) else {
            try requireAliveNow()
            throw CheckFailure(
                expected: "descriptor \(all[0]), the server's epoll descriptor, to be open",
                found: "the server has closed it")
        }
        return list
    }

    /// The entry of a client in the interest list.
    public func entry(of client: TCPClient) throws(CheckFailure) -> Interest {
        let descriptor = try descriptor(of: client)
        guard let entry = try interestList().first(where: { $0.descriptor == descriptor }) else {
            throw CheckFailure(
                expected: "\(client.name), descriptor \(descriptor), in the interest list",
                found: "it is not there, though the client is connected")
        }
        return entry
    }
}

extension Interest {
    /// Whether one of these bits is set, as in `has(POLLIN)`.
    public func has(_ bits: CInt) -> Bool { events & UInt32(bits) != 0 }
}
