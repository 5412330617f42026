// Caught by: blocking-tcp.testEchoesALine
// Says: ended with status 0
// The attack: it announces itself and ends, in the hope that nobody asks.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) { exit(0) }
