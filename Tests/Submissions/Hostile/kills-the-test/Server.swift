// Caught by: blocking-tcp.testEchoesALine
// Says: left no record
// The attack: it kills the process that judges it.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    kill(getppid(), SIGKILL)
    while true { pause() }
}
