// SPDX-License-Identifier: MIT

extension Course {
    static let nonblockingTCP = Exercise(
        id: "nonblocking-tcp", title: "A TCP echo server that asks every client in turn",
        chapter: "02-nonblocking", text: "02-nonblocking", section: "Exercise: nonblocking-tcp",
        secondsPerCheck: 30,
        hints: [
            "Begin with acceptConnection. A connection does not inherit "
                + "O_NONBLOCK: accept4 sets it.",
            "Each turn of the loop takes all new clients, and then gives each client one chance: "
                + "send what is unsent, or else read once and send that.",
            "When send gives EAGAIN, keep the rest in this connection and return true: the next "
                + "turn tries again. As long as something is unsent, do not read.",
            "`for socket in Array(connections.keys)` lets proceed remove clients meanwhile. Only 0 "
                + "and real errors are an end; EAGAIN and EINTR are not.",
        ],
        scene: .clients,
        model: .nonblocking,
        calls: CallRules(
            require: [CallRules.accept, CallRules.receive, CallRules.send],
            forbid: [
                .asksInsteadOfTheSocket, .pausesInTheLoop, .submitsRings, .startsOthers,
            ]),
        checks: [
            .public(
                "testEchoesALine", "A line comes back as it was sent.", points: 2,
                hint: "read what has come, and send the same number of bytes back."),
            .public(
                "testServesTwoClientsAtOnce", "A silent client does not keep others waiting.",
                restsOn: "testEchoesALine",
                hint: "Set O_NONBLOCK on each connection, and do not take EAGAIN for its end."),
        ] + nonblockingTcpContract + [
            .hidden(
                "testKeepsWhatIsNotTaken", "When a write finds no room, its bytes are sent later.",
                points: 2, restsOn: "testEchoesALine",
                hint: "EAGAIN from send is no error: keep the bytes, and try again in the next "
                    + "turn."),
            .hidden(
                "testSendsTheRestBeforeItCloses",
                "A client's end is acted upon when nothing is unsent any more.",
                restsOn: "testKeepsWhatIsNotTaken",
                hint: "Read nothing, not the end either, while bytes are unsent; or remember the "
                    + "end."),
            .hidden(
                "testMakesEverySocketNonblocking", "Each of its sockets has O_NONBLOCK.",
                points: 2, restsOn: "testServesTwoClientsAtOnce",
                hint: "A connection does not inherit the flag from its listener."),
            .hidden(
                "testNeverRests", "While nothing comes, the server asks on, without a pause.",
                points: 2, restsOn: "testServesTwoClientsAtOnce",
                hint: "Nothing in the loop may wait: no call without O_NONBLOCK, no sleep."),
            .hidden(
                "testUsesTheCallsOfTheModel",
                "The calls that it makes are those of the nonblocking model.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "accept, read and send ask, and return at once; nothing else is asked."),
        ])

    /// What it shares with all TCP echo servers.
    private static let nonblockingTcpContract = EchoContract.checks(
        .nonblocking,
        points: [
            "testEchoesAllToASlowReader": 2,
            "testASlowReaderHoldsNobody": 2,
            "testReadsNoMoreThanItCanSend": 2,
            "testLeavesNoDescriptor": 2,
            "testServesManyClients": 2,
            "testGoesOnWhenDescriptorsRunOut": 2,
        ],
        hints: [
            "testEchoesAllToASlowReader":
                "Keep what was not taken, send it first, and in its order.",
            "testGoesOnAfterAShortWrite":
                "send says how much it has taken: go on with the rest.",
            "testASlowReaderHoldsNobody":
                "After EAGAIN leave this client, and come back to it in the next turn.",
            "testKeepsClientsApart":
                "Unsent bytes belong to one connection, not to the server.",
            "testReadsNoMoreThanItCanSend":
                "Do not read from a client that has unsent bytes.",
            "testClientThatSaysNothing":
                "read gives 0 at the end, and -1 with EAGAIN while nothing has come.",
            "testEchoesAfterHalfClose":
                "close without SO_LINGER: the kernel then sends the rest first.",
            "testSurvivesAReset":
                "read then fails with ECONNRESET: close this client, and go on.",
            "testSurvivesAResetWhileBytesAreUnsent":
                "Only EAGAIN and EINTR of send mean later. Any other error is the end.",
            "testSurvivesAWriteToAGoneClient":
                "Send with MSG_NOSIGNAL, or ignore SIGPIPE, and take EPIPE for the end.",
            "testClientsThatLeaveTogether":
                "Removing one connection moves the others in an array: go through a copy.",
            "testLeavesNoDescriptor":
                "Close the socket on every way out, also after an error.",
            "testServesManyClients":
                "Ask every client in each turn, whatever the one before has answered.",
            "testGoesOnWhenDescriptorsRunOut":
                "EMFILE from accept is no error of the listener: try again when a client has "
                + "left.",
            "testGoesOnWithoutRoom":
                "ENFILE, ENOBUFS, ENOMEM are like EMFILE: ask in a later turn.",
        ])
}
