// SPDX-License-Identifier: MIT

import Glibc

extension ExitStatus {
    /// What an end that nobody had asked for says of a server; nil where it says nothing by itself.
    package var meaning: String? {
        switch self {
        case .signalled(SIGPIPE):
            "It wrote to a client that was gone. The kernel then sends SIGPIPE, which ends a process "
                + "that has not asked otherwise: signal(SIGPIPE, SIG_IGN), and expect EPIPE from write."
        case .signalled(SIGXFSZ):
            "It printed more than \(ServerProcess.limits.fileBytes >> 20) MiB and was stopped: some "
                + "line is printed in a loop that never waits."
        case .signalled(SIGXCPU):
            "It used more than \(ServerProcess.limits.cpuSeconds) s of processor time and was stopped: "
                + "some loop never waits."
        case .signalled(SIGILL), .signalled(SIGTRAP):
            "Swift stopped it: an index out of range, an overflow, or a nil that was force-unwrapped."
        case .signalled(SIGABRT):
            "The C library found its memory damaged: do threads share an array or a buffer?"
        case .signalled(SIGSEGV), .signalled(SIGBUS): "It used memory that is not its own."
        case .exited(0): "serve returned. A server serves forever: look for a return or a break."
        default: nil
        }
    }
}
