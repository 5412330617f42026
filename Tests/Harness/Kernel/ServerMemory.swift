// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What a resting server has told the kernel to watch, out of its memory and out of /proc.
extension ServerProcess {
    /// A part of the server's memory; nothing for a null pointer. See process_vm_readv(2).
    /// - Throws: `CheckFailure` of kind `notVerified` when this machine does not allow to read it.
    public func memory(at address: UInt64, count: Int) throws(CheckFailure) -> [UInt8] {
        guard address != 0, count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { buffer in
            var own = iovec(iov_base: buffer.baseAddress, iov_len: count)
            var other = iovec(
                iov_base: UnsafeMutableRawPointer(bitPattern: UInt(address)), iov_len: count)
            return process_vm_readv(proc.pid, &own, 1, &other, 1, 0)
        }
        guard got == count else {
            throw .notVerified(
                "This machine does not let the harness read the server's memory: "
                    + "\(errorText(errno)).")
        }
        return bytes
    }

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
            throw .notVerified("This machine does not show what an epoll descriptor watches.")
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
