import CLinux
import Glibc
import Support

/// Puts a message into a message queue: `experiment post /room 2 news`. No command of the shell can.
/// See mq_send(3).
func postMessage() throws(Errno) {
    let words = CommandLine.arguments.dropFirst(2)
    guard words.count == 3, let name = words.first, let text = words.last,
        let priority = UInt32(words[words.startIndex + 1])
    else {
        note("Usage: experiment post /QUEUE PRIORITY TEXT")
        exit(64)
    }
    let queue = mq_open_create(name, O_WRONLY | O_CLOEXEC, 0, nil)
    guard queue != -1 else { throw Errno("mq_open") }
    defer { mq_close(queue) }
    let bytes = Array(text.utf8CString.dropLast())
    guard mq_send(queue, bytes, bytes.count, priority) != -1 else { throw Errno("mq_send") }
}
