// Given, as you wrote it in epoll-echo.

import CLinux
import Glibc
import Support

/// Puts a descriptor into the interest list, or changes its entry. There it stays until it is closed.
///
/// - Parameters:
///   - operation: `EPOLL_CTL_ADD` for a new entry, `EPOLL_CTL_MOD` for one that is there.
///   - events: What to watch for. Errors and hang-ups come without being asked for.
/// - Throws: The `Errno` of epoll_ctl.
func watch(
    _ epoll: CInt, _ operation: CInt, _ descriptor: CInt, for events: UInt32
) throws(Errno) {
    var event = epoll_event(events: events, data: epoll_data_t(fd: descriptor))
    guard epoll_ctl(epoll, operation, descriptor, &event) != -1 else { throw Errno("epoll_ctl") }
}
