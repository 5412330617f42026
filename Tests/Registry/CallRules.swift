// SPDX-License-Identifier: MIT

/// What a model looks like in system calls: which a server makes while it serves, and which it must not.
public struct CallRules: Sendable {
    /// Calls, or signs of a model, that must not be seen.
    public struct Forbidden: Sendable {
        /// Names of calls as in the manual; `MSG_DONTWAIT` for a call with that flag; `EAGAIN` for one
        /// that ended so.
        public let signs: [String]
        /// What they mean, as a sentence.
        public let meaning: String
    }

    /// Of each group, at least one call must be seen.
    public let require: [[String]]
    /// None of these may be seen.
    public let forbid: [Forbidden]
    /// The most calls that one request may take, from accept to close; nil where the model has no
    /// bound, as in a loop that asks all the time.
    public let callsPerRequest: Int?
    /// How often a request's bytes may be copied between the kernel and the program: twice for an
    /// echo, once in and once out; nil if the reply is not the request.
    public let copies: Int?

    init(
        require: [[String]], forbid: [Forbidden], callsPerRequest: Int? = nil, copies: Int? = 2
    ) {
        self.require = require
        self.forbid = forbid
        self.callsPerRequest = callsPerRequest
        self.copies = copies
    }

    static let receive = ["recvfrom", "recvmsg", "recvmmsg", "read", "readv"]
    static let send = ["sendto", "sendmsg", "sendmmsg", "write", "writev"]
    static let accept = ["accept", "accept4"]
}

extension CallRules.Forbidden {
    static let asksForReadiness = CallRules.Forbidden(
        signs: [
            "poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2",
            "epoll_ctl",
        ],
        meaning:
            "It asks what is ready before it reads. That is the model of chapters 3 to 5; here "
            + "the read itself waits.")
    static let asksWithoutWaiting = CallRules.Forbidden(
        signs: ["MSG_DONTWAIT", "EAGAIN"],
        meaning:
            "It asks the kernel whether something has come, instead of waiting for it. That is "
            + "the model of chapter 2, which shows what it costs.")
    static let waitsByTheClock = CallRules.Forbidden(
        signs: ["nanosleep", "clock_nanosleep", "rt_sigtimedwait"],
        meaning: "It waits for a time to pass. What comes meanwhile has to wait too.")
    static let startsOthers = CallRules.Forbidden(
        signs: ["clone", "clone3", "fork", "vfork"],
        meaning: "It starts another thread or process. This server does everything in one.")
    static let submitsRings = CallRules.Forbidden(
        signs: ["io_uring_enter"], meaning: "It hands its calls over in rings, as in chapter 10.")
}
