import CLinux
import Glibc
import Support
import Synchronization

private let hasCome = Atomic<Bool>(false)

/// A signal that comes between the look at its flag and the wait: with select, and with pselect.
///
/// The signal comes from the program itself, at the worst moment. The wait is given half a second.
func showTheGap() throws(Errno) {
    hasCome.store(false, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in hasCome.store(true, ordering: .relaxed) }
    guard sigaction(SIGUSR1, &action, nil) != -1 else { throw Errno("sigaction") }
    var signals = sigset_t()
    var open = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGUSR1)

    try tell("look, then select") {
        var limit = timeval(tv_sec: 0, tv_usec: 500_000)
        raise(SIGUSR1)
        return select(0, nil, nil, nil, &limit)
    }
    sigprocmask(SIG_BLOCK, &signals, &open)
    try tell("look, unblock, then select") {
        var limit = timeval(tv_sec: 0, tv_usec: 500_000)
        raise(SIGUSR1)
        sigprocmask(SIG_SETMASK, &open, nil)
        let result = select(0, nil, nil, nil, &limit)
        sigprocmask(SIG_BLOCK, &signals, nil)
        return result
    }
    try tell("look, then pselect unblocks") {
        var limit = timespec(tv_sec: 0, tv_nsec: 500_000_000)
        raise(SIGUSR1)
        return pselect(0, nil, nil, nil, &limit, &open)
    }
}

private func tell(_ what: String, _ wait: () -> CInt) throws(Errno) {
    hasCome.store(false, ordering: .relaxed)
    var result: CInt = 0
    let cost = try measure { () throws(Errno) in
        if !hasCome.load(ordering: .relaxed) { result = wait() }
    }
    let microseconds = cost.elapsed / 1000
    let end = result == -1 ? "ended by EINTR" : "slept to the end"
    print("\(what): \(end), \(microseconds) us, flag set: \(hasCome.load(ordering: .relaxed))")
}
