// SPDX-License-Identifier: MIT

extension Course {
    private static let asksAnotherWay = CallRules.Forbidden(
        signs: ["select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl"],
        meaning: "It asks by select or epoll. Those are chapters 3 and 5; here the call is poll.")

    static let pollEcho = Exercise(
        id: "poll-echo",
        title: "A TCP echo server for thousands of clients in one loop around poll",
        chapter: "04-poll", text: "04-poll", section: "Exercise: poll-echo",
        secondsPerCheck: 40,
        hints: [
            "The array has a row for the listener and one for each client: `pollfd(fd: socket, "
                + "events: Int16(POLLIN), revents: 0)`. Then `poll(&rows, nfds_t(rows.count), -1)`.",
            "After poll, each row whose `revents` is not 0 has something to tell, whichever bit it "
                + "is: let `send` or `receive` find out, and remove the row when it says false.",
            "Ask for POLLOUT in place of POLLIN while `hasUnsent`, and change that in the array "
                + "itself: `rows[index].events = …`. `for row in rows` gives copies.",
            "Walk the rows backwards. Then you can move the last row into a gap: it has had its "
                + "turn. And accept new clients after the walk: their rows have no answer yet.",
        ],
        scene: .clients,
        model: .poll,
        calls: CallRules(
            require: [
                ["poll", "ppoll"], CallRules.accept, CallRules.receive, CallRules.send,
            ],
            forbid: [asksAnotherWay, .waitsByTheClock, .submitsRings, .startsOthers],
            callsPerRequest: 14),
        checks: pollBytes + pollEchoContract + pollSlowReader + pollArray + pollModel)

    private static let pollBytes: [Check] = [
        .public(
            "testEchoesALine", "A line comes back as it was sent.", points: 2,
            hint: "Give each client a row, and call proceed when its `revents` is not 0."),
        .public(
            "testServesTwoClientsAtOnce", "A silent client does not keep others waiting.",
            points: 2, restsOn: "testEchoesALine",
            hint: "Each client needs a row of its own, and poll the number of rows as it is now."),
        .public(
            "testWaitsInPoll", "While nothing comes, the server waits in poll.", points: 2,
            restsOn: "testServesTwoClientsAtOnce",
            hint: "The only call that may wait is poll: make the listener nonblocking, and ask for "
                + "POLLOUT only while bytes are unsent."),
    ]

    private static let pollSlowReader: [Check] = [
        .hidden(
            "testAsksForRoomOnlyWhileOwed",
            "POLLOUT is asked for while bytes are unsent, and not before or after.", points: 2,
            restsOn: "testReadsNoMoreThanItCanSend",
            hint: "After each send or receive, set the row's `events` anew, in the array itself.")
    ]

    private static let pollArray: [Check] = [
        .hidden(
            "testAsksAboutNoClosedDescriptor", "The array has no row for a closed descriptor.",
            points: 2, restsOn: "testSurvivesAReset",
            hint: "Remove the row where you close the socket, or set its `fd` to -1."),
        .hidden(
            "testNewClientsHaveNoOldResults",
            "A new client in the place of an old one begins afresh.",
            restsOn: "testSurvivesAReset",
            hint: "What poll said was said of the old client: set `revents` to 0 in a new row, and "
                + "accept after the walk."),
        .hidden(
            "testUsesRowsAgain", "After 300 clients the array has no more rows than before them.",
            points: 2, restsOn: "testLeavesNoDescriptor",
            hint: "Remove the row of a client that has left, or give it to the next one."),
    ]

    private static let pollModel: [Check] = [
        .hidden(
            "testSleepsWhileNothingComes", "While nothing comes, the server is never woken.",
            restsOn: "testWaitsInPoll",
            hint: "The third argument of poll is a limit in milliseconds; -1 means none.")
    ]

    /// What it shares with all TCP echo servers.
    private static let pollEchoContract = EchoContract.checks(
        .poll,
        points: [
            "testEchoesAllToASlowReader": 2,
            "testASlowReaderHoldsNobody": 2,
            "testReadsNoMoreThanItCanSend": 2,
            "testEchoesAfterHalfClose": 2,
            "testSurvivesAResetWhileBytesAreUnsent": 2,
            "testLeavesNoDescriptor": 2,
            "testServesManyClients": 2,
            "testSilentClientsCostNothing": 2,
            "testGoesOnWhenDescriptorsRunOut": 2,
        ],
        hints: [
            "testEchoesAllToASlowReader":
                "Keep what could not be sent, ask for POLLOUT while you keep it, and send it "
                + "before you read more.",
            "testGoesOnAfterAShortWrite":
                "A write says how much it has taken: keep the rest, and send it later.",
            "testASlowReaderHoldsNobody":
                "A client with unsent bytes waits for its own POLLOUT, in its own row.",
            "testReadsNoMoreThanItCanSend":
                "While bytes are unsent, ask for POLLOUT and not for POLLIN.",
            "testClientThatSaysNothing":
                "0 bytes read is the end, also the first time: close the socket.",
            "testEchoesAfterHalfClose":
                "POLLRDHUP and POLLHUP do not mean that everything was read: read until 0.",
            "testSurvivesAReset":
                "`revents` is then POLLIN, POLLHUP and POLLERR together: test with &, or for "
                + "0.",
            "testSurvivesAResetWhileBytesAreUnsent":
                "POLLHUP and POLLERR come unasked, beside POLLOUT: send then fails. Close it.",
            "testSurvivesAWriteToAGoneClient":
                "Send with MSG_NOSIGNAL, and take EPIPE for this client's end.",
            "testClientsThatLeaveTogether":
                "Removing a row moves the others: walk backwards, and look each client up by "
                + "its descriptor.",
            "testLeavesNoDescriptor":
                "Removing the row is not enough: close the socket, also after an error.",
            "testServesManyClients":
                "The array grows with the clients, and no number of a descriptor is too high.",
            "testSilentClientsCostNothing":
                "Call proceed only for the rows whose `revents` is not 0.",
            "testGoesOnWhenDescriptorsRunOut":
                "After EMFILE set the listener's `fd` to -1 in its row, and back when a "
                + "client has left.",
            "testGoesOnAfterAnInterruption":
                "EINTR is nobody's fault, and after it `revents` has old answers: call poll "
                + "again.",
            "testGoesOnAfterAFalseAlarm":
                "What poll says is a hint. EAGAIN means: nothing here now, so ask again.",
            "testUsesTheCallsOfTheModel":
                "poll waits and tells who is ready; read and send then find what they need.",
        ])
}
