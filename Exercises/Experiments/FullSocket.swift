import CLinux
import Glibc
import Listening
import Nonblocking
import Support

/// Writes a megabyte at a time into a connection that nobody reads, until nothing more is taken.
func fullSocket() throws(Errno) {
    let listener = try openListener(port: 0)
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let address = try SocketAddress(of: listener)
    guard address.withSockaddr({ connect(client, $0, $1) }) != -1 else { throw Errno("connect") }
    try setNonblocking(client)
    let bytes = [UInt8](repeating: 0, count: 1 << 20)
    var total = 0
    while true {
        let count = write(client, bytes, bytes.count)
        if count == -1 {
            print("\(Errno("write"))")
            break
        }
        total += count
        print("write: \(count) of \(bytes.count)")
    }
    print("\(total) bytes were taken, and nobody has read one")
}
