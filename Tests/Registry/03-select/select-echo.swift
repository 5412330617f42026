// SPDX-License-Identifier: MIT

extension Course {
    static let selectEcho = Exercise(
        id: "select-echo", title: "TCP clients and UDP datagrams in one select loop",
        chapter: "03-select", text: "03-select", section: "Exercise: select-echo",
        secondsPerCheck: 30,
        hints: [
            "One call waits for all sockets: select. Before it, fill the sets: every socket that "
                + "you want to hear of. After it, the sets hold those that are ready.",
            "Each turn: two new fd_sets; FD_SET for the listener, the UDP socket and each client; "
                + "`select(highest + 1, &readable, &writable, nil, nil)`; then FD_ISSET for each.",
            "A client with unsent bytes goes into the writable set, and into that one only. If "
                + "select gives -1 with EINTR, look at no set and begin the turn again. Close a "
                + "client whose descriptor is FD_SETSIZE or more; leave the listener out while "
                + "accept says EMFILE.",
        ],
        scene: .clients,
        model: .select,
        calls: selectRules,
        checks: clientChecks + selectEchoContract + datagramChecks + askingChecks + limitChecks)

    static let selectRules = CallRules(
        require: [
            ["select", "pselect6"], CallRules.accept, CallRules.receive, CallRules.send,
        ],
        forbid: [
            CallRules.Forbidden(
                signs: ["poll", "ppoll", "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl"],
                meaning:
                    "It waits in another call than select. That is the model of another chapter."),
            .waitsByTheClock, .submitsRings, .startsOthers,
        ], callsPerRequest: 12)

    private static let clientChecks: [Check] = [
        .public(
            "testEchoesALine", "A line comes back as it was sent.", points: 2,
            hint: "In pselect6, with bytes unread: is the client in the set, and select's first "
                + "argument the highest plus one? In accept4: has the listener O_NONBLOCK? "
                + "Otherwise: call `receive` for a client in the readable set."),
        .public(
            "testEchoesADatagram", "A datagram comes back as it was sent.",
            hint: "Put the UDP socket into the readable set too, before each select; count it in "
                + "for the first argument, the highest plus one; and answer with sendto."),
        .public(
            "testServesTwoClientsAtOnce", "A silent client does not keep others waiting.",
            restsOn: "testEchoesALine",
            hint: "Put every client into the sets, anew before each select, and let no call but "
                + "select wait."),
    ]

    private static let datagramChecks: [Check] = [
        .hidden(
            "testEchoesDatagramsOfEverySize",
            "Datagrams of 0, 1, 1,472 and 65,507 bytes come back whole.",
            restsOn: "testEchoesADatagram",
            hint: "0 bytes are a datagram like any other; the buffer must hold 65,507."),
        .hidden(
            "testAnswersTheRightSender",
            "Each sender gets its own datagrams, in order, also when one has gone.",
            restsOn: "testEchoesADatagram",
            hint: "Reply to the address that this recvfrom gave, and go on when sendto fails."),
        .hidden(
            "testServesClientsAndDatagramsInTurn",
            "A busy client keeps neither datagrams nor other clients waiting.", points: 2,
            restsOn: "testServesTwoClientsAtOnce",
            hint: "Serve everything that one select has named before you ask the next, about "
                + "everyone again. No recvfrom may wait: the UDP socket needs O_NONBLOCK."),
    ]

    private static let askingChecks: [Check] = [
        .hidden(
            "testWaitsInSelect",
            "While nothing comes, the one thread is blocked in select, without a time limit.",
            points: 2, restsOn: "testServesTwoClientsAtOnce",
            hint: "select is the only call that may wait; pass nil as its time limit. If it never "
                + "rests: who is in the writable set with nothing unsent?"
                + " That socket is always ready."),
        .hidden(
            "testAsksAboutEveryone", "Each select is asked about every socket.", points: 2,
            restsOn: "testServesTwoClientsAtOnce",
            hint: "select overwrites its sets with the answer. Fill them anew before each call."),
        .hidden(
            "testGivesTheHighestDescriptorPlusOne",
            "select's first argument is the highest descriptor plus one.", points: 2,
            restsOn: "testServesTwoClientsAtOnce",
            hint: "Not the number of descriptors, nor the highest one, nor always FD_SETSIZE."),
        .hidden(
            "testAsksForRoomOnlyWhileBytesWait",
            "A socket is in the writable set exactly while bytes for it are unsent.", points: 2,
            restsOn: "testServesTwoClientsAtOnce",
            hint: "A socket nearly always has room: ask for that only if a send took too little."),
        .hidden(
            "testAClosedDescriptorLeavesTheSets", "No select is asked about a closed descriptor.",
            restsOn: "testServesTwoClientsAtOnce",
            hint: "Forget a connection when you close its socket: EBADF fails the whole call."),
        .hidden(
            "testBelievesNoSetAfterAnInterruption",
            "When a signal interrupts select, its sets are not looked at.",
            restsOn: "testServesTwoClientsAtOnce",
            hint: "On EINTR begin the turn again: the sets still hold the question."),
        .hidden(
            "testReadinessIsOnlyAHint",
            "When what was ready is gone again, the server does not wait for it.", points: 2,
            restsOn: "testServesTwoClientsAtOnce",
            hint: "Set O_NONBLOCK on every socket: the listener, the UDP socket, each client."),
    ]

    private static let limitChecks: [Check] = [
        .hidden(
            "testRefusesWhatDoesNotFitIntoASet",
            "Of 1,100 clients those that fit into an fd_set are served, and the rest is closed.",
            points: 2, restsOn: "testServesTwoClientsAtOnce",
            hint: "Compare each new descriptor with FD_SETSIZE, and close it if it is not less.")
    ]

    /// What it shares with all TCP echo servers.
    private static let selectEchoContract = EchoContract.checks(
        .select,
        points: [
            "testEchoesAllToASlowReader": 2,
            "testASlowReaderHoldsNobody": 2,
            "testLeavesNoDescriptor": 2,
            "testSilentClientsCostNothing": 2,
            "testGoesOnWhenDescriptorsRunOut": 2,
        ],
        hints: [
            "testEchoesAllToASlowReader":
                "What a send did not take stays in `unsent`; go on when there is room.",
            "testGoesOnAfterAShortWrite":
                "A send says how much it has taken: go on with the rest.",
            "testASlowReaderHoldsNobody":
                "Never wait in a send, and read no more from a client with unsent bytes.",
            "testClientThatSaysNothing":
                "The end counts as readable: read then gives 0. That is no error. Is the "
                + "listener still in the set afterwards? Fill the sets anew before each select.",
            "testEchoesAfterHalfClose":
                "`receive` gives false at the client's end: close its socket then.",
            "testSurvivesAReset":
                "A reset shows as readable; read then fails with ECONNRESET. Close that "
                + "client, and fill the sets anew before each select.",
            "testSurvivesAWriteToAGoneClient":
                "Send with MSG_NOSIGNAL, and treat EPIPE as this client's end.",
            "testLeavesNoDescriptor":
                "Close a client's socket wherever you forget its connection.",
            "testServesManyClients":
                "An fd_set has 16 words of 64 bits. FD_SET and FD_ISSET know the right one.",
            "testSilentClientsCostNothing":
                "Serve those that select has named, and make no call for the others.",
            "testGoesOnWhenDescriptorsRunOut":
                "After EMFILE leave the listener out of the set until a client has left.",
            "testGoesOnAfterAFalseAlarm":
                "What select says is a hint. EAGAIN means: nothing here now, so ask again.",
            "testUsesTheCallsOfTheModel":
                "select waits; accept, read and write follow; nothing else is asked.",
        ])
}
