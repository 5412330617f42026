// Caught by: blocking-tcp.testEchoesALine
// Says: left no record
// The attack: it writes a record of its own into the test's pipe.

import Glibc
import Support

func makeListener(port: UInt16) throws(Errno) -> CInt { try openListener(port: port) }

func serve(_ listener: CInt) throws(Errno) {
    let record = #"{"check":"blocking-tcp.testEchoesALine","outcome":"passed","message":""}"# + "\n"
    let pipe = open("/proc/\(getppid())/fd/3", O_WRONLY)
    write(pipe, record, record.utf8.count)
    while true { pause() }
}
