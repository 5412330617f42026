// SPDX-License-Identifier: MIT

extension Course {
    static let epollEcho = Exercise(
        id: "epoll-echo", title: "A TCP echo server around epoll, level-triggered",
        chapter: "05-epoll", text: "05-epoll", section: "Exercise: epoll-echo",
        secondsPerCheck: 40,
        hints: [
            "Three calls: epoll_create1 makes the list, epoll_ctl changes it, epoll_wait waits and "
                + "fills your array. A socket is put into the list once, right after accept.",
            "`epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: socket))` says what to "
                + "watch for, and `event.data.fd` brings the socket back when it is ready.",
            "Compare `hasUnsent` before and after `receive` or `send`. If it has changed, switch "
                + "the entry between EPOLLIN and EPOLLOUT with EPOLL_CTL_MOD; else leave it alone.",
            "First all clients of the answer, then the listener. While there is no room, watch "
                + "the listener for nothing; when a client has left, accept and set EPOLLIN.",
        ],
        scene: .clients,
        model: .epoll,
        calls: CallRules(
            require: [
                CallRules.accept, CallRules.receive, CallRules.send, ["epoll_ctl"],
                ["epoll_wait", "epoll_pwait"],
            ],
            forbid: [.asksAnotherWay, .waitsByTheClock, .submitsRings, .startsOthers],
            callsPerRequest: 14),
        checks: checksOfServing + epollEchoContract + checksOfTheList + checksOfTrouble)

    private static let checksOfServing: [Check] = [
        .public(
            "testEchoesALine", "A line comes back as it was sent.", points: 2,
            hint: "The listener is watched with its descriptor in `data`, and it does not wait "
                + "(setNonblocking): accept until there is nobody left."),
        .public(
            "testServesTwoClientsAtOnce", "A silent client does not keep others waiting.",
            restsOn: "testEchoesALine",
            hint: "Nothing but epoll_wait may wait: read from those that it names, and only once."),
        .public(
            "testServesTheOthersWhenOneLeaves", "A client that leaves takes nobody with it.",
            restsOn: "testServesTwoClientsAtOnce",
            hint: "When `receive` gives false, that one client is over: close it, and go on."),
        .hidden(
            "testServesAllThatAreReadyAtOnce", "700 clients that are ready at once are all served.",
            restsOn: "testServesTwoClientsAtOnce",
            hint:
                "maxevents is the room in your array. The rest comes with the next call."),
        .hidden(
            "testHasOneThread", "One thread serves all clients.",
            restsOn: "testServesTwoClientsAtOnce",
            hint: "Everything happens in the loop around epoll_wait; start no thread."),
    ]

    private static let checksOfTheList: [Check] = [
        .hidden(
            "testWaitsInEpollWait", "While nothing comes, the server waits in epoll_wait.",
            points: 2, restsOn: "testEchoesALine",
            hint: "The last argument of epoll_wait is -1, and nothing that is always true is "
                + "watched for: EPOLLOUT only while bytes are unsent."),
        .hidden(
            "testHasOneEntryForEachClient", "The interest list has one entry for each client.",
            points: 2, restsOn: "testServesTwoClientsAtOnce",
            hint: "EPOLL_CTL_ADD once for each accepted connection, with its own `data`."),
        .hidden(
            "testForgetsTheGone", "Nothing of a client that has left stays in the interest list.",
            restsOn: "testHasOneEntryForEachClient",
            hint: "close takes an entry out when it closes the last copy of the descriptor."),
        .hidden(
            "testIsLevelTriggered", "The clients are watched level-triggered.",
            restsOn: "testHasOneEntryForEachClient",
            hint: "Ask for EPOLLIN or EPOLLOUT, without EPOLLET and EPOLLONESHOT."),
        .hidden(
            "testAsksForRoomOnlyWhileItOwesBytes",
            "A client is watched with EPOLLOUT while bytes are unsent, and only then.", points: 2,
            restsOn: "testHasOneEntryForEachClient",
            hint: "When hasUnsent has changed, change the entry with EPOLL_CTL_MOD."),
        .hidden(
            "testPutsEachClientIntoTheListOnce",
            "While clients exchange lines, the interest list is not touched.", points: 2,
            restsOn: "testServesTwoClientsAtOnce",
            hint: "Call epoll_ctl after accept, and when the interest has changed."),
    ]

    private static let checksOfTrouble: [Check] = [
        .hidden(
            "testKeepsTheNewClientOfADescriptor",
            "A client that gets the number of one that has just left is served.", points: 2,
            restsOn: "testServesTheOthersWhenOneLeaves",
            hint: "Close a client at once, in one place, and accept only after all other events of "
                + "the answer: what is closed and forgotten later may be somebody else by then."),
        .hidden(
            "testGoesOnAfterAStop", "A server that was stopped and goes on has lost nothing.",
            restsOn: "testEchoesALine",
            hint: "epoll_wait gives EINTR after SIGCONT, also without a handler: call it again."),
        .hidden(
            "testClosesAClientThatTheListHasNoRoomFor",
            "A client for whom the interest list has no room is closed, and the others are served.",
            restsOn: "testServesTheOthersWhenOneLeaves",
            hint: "epoll_ctl may fail with ENOSPC or ENOMEM: that is one client's matter. Close it."
        ),
    ]

    /// What it shares with all TCP echo servers.
    private static let epollEchoContract = EchoContract.checks(
        .epoll,
        points: [
            "testEchoesAllToASlowReader": 2,
            "testASlowReaderHoldsNobody": 2,
            "testEchoesAfterHalfClose": 2,
            "testServesManyClients": 2,
            "testSilentClientsCostNothing": 2,
            "testGoesOnWhenDescriptorsRunOut": 2,
        ],
        hints: [
            "testEchoesAllToASlowReader":
                "What send did not take is kept, and sent first when there is room again.",
            "testGoesOnAfterAShortWrite":
                "send says how much it has taken: keep the rest until there is room.",
            "testASlowReaderHoldsNobody":
                "Connections must not wait (SOCK_NONBLOCK), and a client with unsent bytes "
                + "is not read.",
            "testClientThatSaysNothing":
                "EPOLLIN also means the end: read then gives 0. Close the client.",
            "testEchoesAfterHalfClose":
                "EPOLLRDHUP says that the end is under way, perhaps behind unread bytes: "
                + "read on until read gives 0.",
            "testSurvivesAReset":
                "read fails with ECONNRESET: close that client and nothing else.",
            "testSurvivesAResetWhileBytesAreUnsent":
                "EPOLLERR and EPOLLHUP come without being asked for: they end the client.",
            "testSurvivesAWriteToAGoneClient":
                "Send with MSG_NOSIGNAL, or ignore SIGPIPE, and close the client after EPIPE.",
            "testSilentClientsCostNothing":
                "Loop over the events that epoll_wait has filled in, not over the clients.",
            "testGoesOnWhenDescriptorsRunOut":
                "After EMFILE watch the listener for nothing; when a client has left, accept.",
            "testGoesOnAfterAFalseAlarm":
                "What epoll_wait says is a hint. EAGAIN means: nothing here now, so ask "
                + "again.",
            "testUsesTheCallsOfTheModel":
                "epoll_wait waits; accept, read and send then find what it has promised.",
        ])
}

extension CallRules.Forbidden {
    fileprivate static let asksAnotherWay = CallRules.Forbidden(
        signs: ["poll", "ppoll", "select", "pselect6"],
        meaning: "It asks with a call that is told the whole list each time: chapters 3 and 4.")
}
