// Caught by: blocking-tcp.testEchoesALine
// Says: its memory grew beyond
// The attack: it takes memory, and uses it, for as long as it is let.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    while true { memset(malloc(1 << 24), 1, 1 << 24) }
}
