// Caught by: blocking-tcp.testEchoesALine
// Says: processes
// The attack: every process of it starts others, without an end.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    // Swift does not import fork as such; the address of the C function is found by its name.
    typealias Fork = @convention(c) () -> CInt
    guard let address = dlsym(nil, "fork") else { return }
    let fork = unsafeBitCast(address, to: Fork.self)
    while true { _ = fork() }
}
