// SPDX-License-Identifier: MIT

/// An I/O model, as the kernel sees a server of it: what it waits in, and what that means for the checks
/// that all models share.
public struct Model: Sendable, Equatable {
    /// The call that it waits in while it is idle, as its chapter says it: `epoll_wait`.
    public let word: String
    /// The names of the calls that it may be blocked in while it is idle; none for a server that polls.
    public let waits: [String]
    /// Whether one thread serves everybody.
    public let hasOneThread: Bool
    /// Whether it serves several clients at once.
    public let servesMany: Bool
    /// What to look at when it is not idle although nothing is to be done, as a sentence.
    public let advice: String

    /// Whether it is never idle: it asks the kernel again and again.
    public var polls: Bool { waits.isEmpty }

    init(
        _ word: String, waits: [String], hasOneThread: Bool = true, servesMany: Bool = true,
        advice: String
    ) {
        self.word = word
        self.waits = waits
        self.hasOneThread = hasOneThread
        self.servesMany = servesMany
        self.advice = advice
    }

    /// One client at a time, each call waits: chapter 1.
    public static let blocking = Model(
        "accept, read or write", waits: CallRules.accept + CallRules.receive + CallRules.send,
        servesMany: false,
        advice: "The call that accepts, reads or writes is the one that waits: look at its result.")

    /// A thread for each client, each call waits: chapter 1.
    public static let threads = Model(
        "accept, read or write", waits: CallRules.accept + CallRules.receive + CallRules.send,
        hasOneThread: false,
        advice: "Each thread waits in its own read. At the end read gives 0: end the thread.")

    /// One thread that asks each socket in turn: chapter 2.
    public static let nonblocking = Model(
        "no call", waits: [],
        advice: "No call may wait: each socket needs O_NONBLOCK, the listener too.")

    /// One call that is told everybody each time: chapter 3.
    public static let select = Model(
        "select", waits: ["select", "pselect6"],
        advice:
            "select returns at once while anything is ready that it is asked about: bytes that you "
            + "do not read, or room that you do not use.")

    /// select, with a signal that is let in only while it waits: chapter 3.
    public static let pselect = Model(
        "pselect", waits: ["select", "pselect6"], advice: select.advice)

    /// One call with an array of any length: chapter 4.
    public static let poll = Model(
        "poll", waits: ["poll", "ppoll"],
        advice:
            "poll returns at once while any row is ready: bytes that you do not read, room that you "
            + "do not use, or a closed descriptor.")

    /// A list that the kernel keeps, level-triggered: chapter 5.
    public static let epoll = Model(
        "epoll_wait", waits: ["epoll_wait", "epoll_pwait", "epoll_pwait2"],
        advice:
            "epoll_wait returns at once while anything is there that it watches for: bytes that you "
            + "do not read, or room that you do not use. Switch the entry with EPOLL_CTL_MOD.")

    /// A list that the kernel keeps, edge-triggered: chapter 5.
    public static let edge = Model(
        "epoll_wait", waits: epoll.waits,
        advice:
            "Only epoll_wait may wait, and without a time limit: any other call would keep all "
            + "clients waiting for one.")
}
