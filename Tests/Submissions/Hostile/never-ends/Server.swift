// Caught by: blocking-tcp.testEchoesALine
// Says: nothing came
// The attack: it ignores SIGTERM, takes the client and runs in a circle.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    for number: CInt in 1...31 { signal(number, SIG_IGN) }
    _ = accept(listener, nil, nil)
    while true {}
}
