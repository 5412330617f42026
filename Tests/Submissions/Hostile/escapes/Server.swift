// Caught by: blocking-tcp.testEchoesALine
// Says: nothing
// The attack: it leaves its process group, so that killing the group does not find it.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    typealias Fork = @convention(c) () -> CInt
    guard let address = dlsym(nil, "fork") else { return }
    let fork = unsafeBitCast(address, to: Fork.self)
    for _ in 1...2 where fork() == 0 {
        setsid()
        if fork() == 0 { while true { pause() } }
        _exit(0)
    }
    while true { pause() }
}
