// SPDX-License-Identifier: MIT

extension Course {
    static let blockingTCP = Exercise(
        id: "blocking-tcp", title: "A TCP echo server, one client at a time",
        chapter: "01-blocking", text: "01-blocking", section: "Exercise: blocking-tcp",
        secondsPerCheck: 10,
        hints: [
            "The listener takes four calls: socket, setsockopt, bind, listen. Then accept "
                + "gives one "
                + "connection after the other.",
            "read gives what has come, which may be any part of what was sent; 0 means that "
                + "the client "
                + "has finished. write may take less than you gave it.",
            "Look at what can end the whole server: an error of one client that is thrown out of "
                + "serve, and SIGPIPE. Catch the first, ignore the second, and close on every "
                + "way out.",
        ],
        scene: .clients,
        model: .blocking,
        calls: CallRules(
            require: [CallRules.accept, CallRules.receive, CallRules.send],
            forbid: [
                .asksForReadiness, .asksWithoutWaiting, .waitsByTheClock, .submitsRings,
                .startsOthers,
            ], callsPerRequest: 8),
        checks: [
            .public(
                "testEchoesALine", "A line comes back as it was sent.", points: 2,
                hint: "read what has come, and write the same number of bytes back."),
            .public(
                "testServesOneClientAfterTheOther",
                "When a client has finished, the next is served.",
                restsOn: "testEchoesALine",
                hint:
                    "After the client's end (read gives 0), close its connection and accept "
                    + "again."),
        ] + blockingTcpContract + [
            .hidden(
                "testQueuesTheSecondClient",
                "While one client is served, the next one waits in the backlog.", points: 2,
                restsOn: "testEchoesALine",
                hint:
                    "This server has one thread and waits in one call: accept after the "
                    + "client's end."
            ),
            .hidden(
                "testWaitsInReadOrAccept",
                "The server waits in accept without a client, and in read with a silent one.",
                points: 2, restsOn: "testEchoesALine",
                hint: "The model of this chapter is one call that waits: no poll, no "
                    + "MSG_DONTWAIT."),
            .hidden(
                "testRestartsOnItsPort", "A server that was stopped can start again at once.",
                restsOn: "testEchoesALine",
                hint: "Set SO_REUSEADDR before bind: old connections keep the port for a minute."),
            .hidden(
                "testHasABacklog", "At least 16 clients may wait to be accepted.",
                restsOn: "testEchoesALine",
                hint: "The second argument of listen is the length of the queue; try SOMAXCONN."),
            .hidden(
                "testSaysThatThePortIsInUse",
                "If somebody listens on the port already, the server says so and ends with an "
                    + "error.",
                restsOn: "testEchoesALine",
                hint: "Check what bind returns, and throw. SO_REUSEPORT would share the port."),
            .hidden(
                "testWaitsForADescriptor",
                "A client that finds no descriptor left is served when there is one again.",
                restsOn: "testServesOneClientAfterTheOther",
                hint: "EMFILE from accept ends nothing: pauseForRoom, and accept again."),
        ])

    /// What it shares with all TCP echo servers.
    private static let blockingTcpContract = EchoContract.checks(
        // It hears of an end by reading only, when all before it is written.
        .blocking, leavingOut: ["testEchoesTheRestAfterTheEnd"],
        points: [
            "testEchoesAllToASlowReader": 2,
            "testSurvivesAWriteToAGoneClient": 2,
            "testLeavesNoDescriptor": 2,
        ],
        hints: [
            "testEchoesAllToASlowReader":
                "write takes what fits into the socket's buffer: go on with the rest.",
            "testGoesOnAfterAShortWrite":
                "write says how much it has taken: go on with the rest, in a loop.",
            "testClientThatSaysNothing":
                "read gives 0 at the end, also when it is the first read. That is no error.",
            "testEchoesAfterHalfClose":
                "After read gives 0, close without SO_LINGER: the kernel sends the rest "
                + "first.",
            "testSurvivesAReset":
                "read then fails with ECONNRESET. Close that client, and go on with the next.",
            "testSurvivesAWriteToAGoneClient":
                "Ignore SIGPIPE, or send with MSG_NOSIGNAL, and treat EPIPE as the client's "
                + "end.",
            "testLeavesNoDescriptor":
                "Close the connection on every way out of the loop, also after an error.",
            "testUsesTheCallsOfTheModel":
                "accept waits for a client, read for its bytes; nothing else is asked.",
        ])
}
