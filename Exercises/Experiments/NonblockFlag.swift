import CLinux
import Glibc
import Listening
import Nonblocking
import Support

/// Shows where O_NONBLOCK is kept, who shares it and who does not, as the kernel lists it in
/// /proc/self/fdinfo. The flags are octal: O_NONBLOCK is 4000, O_CLOEXEC 2000000, O_RDWR 2.
func nonblockFlag() throws(Errno) {
    let listener = try openListener(port: 0)
    try show("a listener", listener)
    try setNonblocking(listener)
    try show("after fcntl F_SETFL", listener)

    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let address = try SocketAddress(of: listener)
    guard address.withSockaddr({ connect(client, $0, $1) }) != -1 else { throw Errno("connect") }
    let connection = accept(listener, nil, nil)
    try show("accepted from it", connection)

    let copy = dup(connection)
    try setNonblocking(copy)
    try show("after fcntl on a dup of it", connection)

    var yes: CInt = 1
    guard ioctl(client, UInt(FIONBIO), &yes) != -1 else { throw Errno("ioctl") }
    try show("a socket after FIONBIO", client)
    let flags = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue
    try show("a socket with SOCK_NONBLOCK", socket(AF_INET, Int32(flags), 0))

    let file = open("/proc/self/exe", O_RDONLY | O_NONBLOCK)
    try show("a regular file", file)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var total = 0
    var count = read(file, &buffer, buffer.count)
    while count > 0 {
        total += count
        count = read(file, &buffer, buffer.count)
    }
    print("read it to the end: \(total) bytes, then \(count); never EAGAIN")
}

private func show(_ what: String, _ descriptor: CInt) throws(Errno) {
    let info = open("/proc/self/fdinfo/\(descriptor)", O_RDONLY)
    guard info != -1 else { throw Errno("open") }
    defer { close(info) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = read(info, &buffer, buffer.count)
    let text = String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("flags:") } ?? ""
    let flags = line.split(separator: "\t").last ?? ""
    let isSet = (CInt(flags, radix: 8) ?? 0) & O_NONBLOCK != 0
    let name = what + String(repeating: " ", count: max(0, 30 - what.count))
    print(name, flags, isSet ? "O_NONBLOCK" : "")
}
