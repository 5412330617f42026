// Caught by: blocking-tcp.testEchoesALine
// Says: printed more than
// The attack: it prints for as long as it is let.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    let line = [UInt8](repeating: 0x78, count: 65_536)
    while true { write(STDOUT_FILENO, line, line.count) }
}
