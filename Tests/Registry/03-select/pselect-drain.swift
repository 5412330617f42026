// SPDX-License-Identifier: MIT

extension Course {
    static let pselectDrain = Exercise(
        id: "pselect-drain", title: "A server that drains on SIGTERM, without a race",
        chapter: "03-select", text: "03-select", section: "Exercise: pselect-drain",
        secondsPerCheck: 40,
        hints: [
            "A handler sets a flag, and the loop looks at it. Ask yourself what happens when "
                + "SIGTERM comes after the look and before the wait.",
            "Block SIGTERM with sigprocmask at the start. Give pselect, as its last argument, a "
                + "mask without SIGTERM: only while it waits can the signal come, and end it.",
            "When the flag is set: accept whoever is in the backlog, close the listener, then go "
                + "on with the same loop. Close each connection with nothing unsent and nothing "
                + "unread, and return when none is left.",
        ],
        scene: .clients,
        model: .pselect,
        calls: selectRules,
        checks: servingChecks + pselectDrainContract + endingChecks + signalChecks)

    private static let servingChecks: [Check] = [
        .public(
            "testEchoesALine", "A line comes back as it was sent.", points: 2,
            hint: "Begin with the loop of select-echo, and call pselect in it."),
        .public(
            "testServesTwoClientsAtOnce", "A silent client does not keep others waiting.",
            restsOn: "testEchoesALine",
            hint: "Put every client into the sets, and let no call but pselect wait."),
        .public(
            "testEndsWhenItIsTold",
            "After SIGTERM a silent client gets its end, and the server ends with status 0.",
            points: 2, restsOn: "testEchoesALine",
            hint:
                "pselect must let SIGTERM in. It fails with EINTR: look at the flag, and drain."
        ),
        .hidden(
            "testWaitsInPselect",
            "While nothing comes, the one thread is blocked in pselect, without a time limit.",
            points: 2, restsOn: "testServesTwoClientsAtOnce",
            hint: "pselect is the only call that may wait. A time limit only hides a lost signal."),
    ]

    private static let endingChecks: [Check] = [
        .hidden(
            "testSendsWhatItOwes",
            "After SIGTERM a slow reader still gets megabytes that are unsent, and then the end.",
            points: 2, restsOn: "testEndsWhenItIsTold",
            hint: "Go on with the loop until nothing is unsent; do not leave it at once."),
        .hidden(
            "testEchoesWhatHasArrived",
            "What has arrived before SIGTERM comes back, read or not.", points: 2,
            restsOn: "testEndsWhenItIsTold",
            hint: "Close a connection when it has nothing unsent and nothing unread."),
        .hidden(
            "testServesWhoIsInTheBacklog",
            "Clients that had connected before SIGTERM are served, accepted or not.", points: 2,
            restsOn: "testEndsWhenItIsTold",
            hint: "Call acceptClients once more before you close the listener."),
        .hidden(
            "testTakesNoNewClients", "During the drain new clients are refused.",
            restsOn: "testEndsWhenItIsTold",
            hint: "Close the listener when the drain begins, and not at the end."),
        .hidden(
            "testASecondSignalChangesNothing", "A second SIGTERM during the drain changes nothing.",
            restsOn: "testEndsWhenItIsTold",
            hint: "Leave the handler installed, and treat EINTR as before."),
        .hidden(
            "testAnInterruptionIsNoSignalToEnd",
            "When another signal interrupts pselect, the server goes on.",
            restsOn: "testServesTwoClientsAtOnce",
            hint: "EINTR says that some signal came. The flag says whether it was SIGTERM."),
    ]

    private static let signalChecks: [Check] = [
        .hidden(
            "testLetsTheSignalInOnlyWhileItWaits",
            "SIGTERM is blocked while the server works, and let in while it waits.", points: 2,
            restsOn: "testEndsWhenItIsTold",
            hint: "Block it once with sigprocmask; give pselect a mask without it."),
        .hidden(
            "testASignalInTheGapIsNotLost",
            "SIGTERM between the look at the flag and the wait ends the server.", points: 3,
            restsOn: "testEndsWhenItIsTold",
            hint: "Blocked, the signal stays pending until pselect lets it in: EINTR, at once."),
        .hidden(
            "testHearsTheSignalWhileItIsBusy",
            "SIGTERM begins the drain although before each wait some client has sent something.",
            points: 2, restsOn: "testEndsWhenItIsTold",
            hint: "pselect lets no signal in while a socket is ready: ask sigpending in each turn."),
        .hidden(
            "testASignalAtAnyCallIsNotLost",
            "SIGTERM before any of the server's calls ends it, and loses nothing.", points: 2,
            restsOn: "testEndsWhenItIsTold",
            hint: "Block SIGTERM before you install the handler, and clear the flag before both."),
        .hidden(
            "testASignalAtAnyMomentIsNotLost",
            "1,000 servers get SIGTERM at random moments, and all end with status 0.", points: 2,
            restsOn: "testEndsWhenItIsTold",
            hint: "A handler may do one thing: set an atomic flag. And each wait must notice it."),
    ]

    /// What it shares with all TCP echo servers.
    private static let pselectDrainContract = EchoContract.checks(
        .pselect,
        hints: [
            "testEchoesAllToASlowReader":
                "What a send did not take stays in `unsent`; go on when there is room.",
            "testGoesOnAfterAShortWrite":
                "A send says how much it has taken: go on with the rest.",
            "testEchoesAfterHalfClose":
                "`receive` gives false at the client's end: close its socket then.",
            "testSurvivesAReset":
                "A reset shows as readable; read then fails with ECONNRESET. Close that "
                + "client.",
            "testSurvivesAWriteToAGoneClient":
                "Send with MSG_NOSIGNAL, and treat EPIPE as this client's end.",
            "testLeavesNoDescriptor":
                "Close a client's socket wherever you forget its connection.",
            "testUsesTheCallsOfTheModel":
                "pselect waits; accept, read and write follow; nothing else is asked.",
        ])
}
