// Caught by: blocking-tcp.testEchoesALine
// Says: its memory grew beyond
// The attack: it takes memory, and uses it, for as long as it is let.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    var taken: [[UInt8]] = []
    while true { taken.append([UInt8](repeating: 1, count: 1 << 20)) }
}
