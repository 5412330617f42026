// SPDX-License-Identifier: MIT

import Glibc

//> announce
/// Says on standard output, in one line, where the socket can be reached.
///
/// The port is asked of the kernel, because with port 0 only the kernel knows it.
/// See getsockname(2).
/// - Throws: The `Errno` of getsockname, if `socket` is not an open socket.
public func announce(_ socket: CInt) throws(Errno) {
    writeLine("listening on \(try SocketAddress(of: socket))", to: STDOUT_FILENO)
}
//< announce

/// Writes a line about what the server does to standard error.
public func note(_ line: String) {
    writeLine(line, to: STDERR_FILENO)
}

/// Writes a line with write(2), so that it is seen at once. `print` would keep it in a buffer until
/// the buffer is full when standard output is a pipe or a file. See stdio(3).
private func writeLine(_ line: String, to descriptor: CInt) {
    var rest = Array((line + "\n").utf8)
    while !rest.isEmpty {
        let count = write(descriptor, rest, rest.count)
        guard count != -1 else {
            if errno == EINTR { continue }
            return
        }
        rest.removeFirst(count)
    }
}
