// SPDX-License-Identifier: MIT

extension Course {
    private static let asksAnotherWay = CallRules.Forbidden(
        signs: ["select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_ctl"],
        meaning: "It asks by select or epoll. Those are chapters 3 and 5; here the call is poll.")

    static let pollEcho = Exercise(
        id: "poll-echo",
        title: "A TCP echo server for thousands of clients in one loop around poll",
        chapter: "04-poll", text: "04-poll", section: "Exercise: poll-echo",
        secondsPerCheck: 20,
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
        model: CallRules(
            require: [
                ["poll", "ppoll"], CallRules.accept, CallRules.receive, CallRules.send,
            ],
            forbid: [asksAnotherWay, .waitsByTheClock, .submitsRings, .startsOthers],
            callsPerRequest: 14),
        checks: pollBytes + pollEnds + pollSlowReader + pollArray + pollModel)

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
        .hidden(
            "testEchoesBytesOneByOne", "Bytes that come one at a time come back one at a time.",
            restsOn: "testEchoesALine",
            hint: "TCP is a stream: send back what has come, and wait for nothing else."),
        .hidden(
            "testGoesOnAfterAShortWrite", "When a write takes only a part, the rest follows.",
            restsOn: "testEchoesALine",
            hint: "A write says how much it has taken: keep the rest, and send it later."),
    ]

    private static let pollEnds: [Check] = [
        .hidden(
            "testClientThatSaysNothing", "A client may leave without having sent a byte.",
            restsOn: "testEchoesALine",
            hint: "0 bytes read is the end, also the first time: close the socket."),
        .hidden(
            "testEchoesAfterHalfClose",
            "A client that has finished sending still gets all its bytes, and then the end.",
            points: 2, restsOn: "testClientThatSaysNothing",
            hint: "POLLRDHUP and POLLHUP do not mean that everything was read: read until 0."),
        .hidden(
            "testSurvivesAReset",
            "A client that resets its connection is closed, and does not affect the others.",
            restsOn: "testClientThatSaysNothing",
            hint: "`revents` is then POLLIN, POLLHUP and POLLERR together: test with &, or for 0."),
        .hidden(
            "testSurvivesAWriteToAGoneClient",
            "A write to a client that is gone does not affect the others.",
            restsOn: "testSurvivesAReset",
            hint: "Send with MSG_NOSIGNAL, and take EPIPE for this client's end."),
    ]

    private static let pollSlowReader: [Check] = [
        .hidden(
            "testEchoesAllToASlowReader", "8 MiB come back whole to a client that reads slowly.",
            points: 2, restsOn: "testGoesOnAfterAShortWrite",
            hint: "Keep what could not be sent, ask for POLLOUT while you keep it, and send it "
                + "before you read more."),
        .hidden(
            "testReadsNoMoreThanItCanSend",
            "Of a client that reads nothing, the server reads only so much.", points: 2,
            restsOn: "testEchoesAllToASlowReader",
            hint: "While bytes are unsent, ask for POLLOUT and not for POLLIN."),
        .hidden(
            "testASlowReaderHoldsNobody",
            "A client that does not read does not keep others waiting.",
            points: 2, restsOn: "testReadsNoMoreThanItCanSend",
            hint: "A client with unsent bytes waits for its own POLLOUT, in its own row."),
        .hidden(
            "testAsksForRoomOnlyWhileOwed",
            "POLLOUT is asked for while bytes are unsent, and not before or after.", points: 2,
            restsOn: "testReadsNoMoreThanItCanSend",
            hint: "After each send or receive, set the row's `events` anew, in the array itself."),
        .hidden(
            "testForgetsAClientThatBreaksOffWhileOwed",
            "A client that resets its connection while it has unsent bytes is closed.", points: 2,
            restsOn: "testReadsNoMoreThanItCanSend",
            hint: "POLLHUP and POLLERR come unasked, beside POLLOUT: send then fails. Close it."),
    ]

    private static let pollArray: [Check] = [
        .hidden(
            "testServesTwoThousandClients", "2,000 clients are served at once, the last one first.",
            points: 2, restsOn: "testServesTwoClientsAtOnce",
            hint: "The array grows with the clients, and no number of a descriptor is too high."),
        .hidden(
            "testAsksAboutNoClosedDescriptor", "The array has no row for a closed descriptor.",
            points: 2, restsOn: "testSurvivesAReset",
            hint: "Remove the row where you close the socket, or set its `fd` to -1."),
        .hidden(
            "testServesTheNeighboursOfTheGone",
            "When several leave at once, only their rows are removed.",
            restsOn: "testSurvivesAReset",
            hint: "Removing a row moves the others: walk backwards, and look each client up by its "
                + "descriptor."),
        .hidden(
            "testNewClientsHaveNoOldResults",
            "A new client in the place of an old one begins afresh.",
            restsOn: "testSurvivesAReset",
            hint: "What poll said was said of the old client: set `revents` to 0 in a new row, and "
                + "accept after the walk."),
        .hidden(
            "testLeavesNoDescriptor", "After 300 clients no descriptor is left open.", points: 2,
            restsOn: "testNewClientsHaveNoOldResults",
            hint: "Removing the row is not enough: close the socket, also after an error."),
        .hidden(
            "testUsesRowsAgain", "After 300 clients the array has no more rows than before them.",
            points: 2, restsOn: "testLeavesNoDescriptor",
            hint: "Remove the row of a client that has left, or give it to the next one."),
    ]

    private static let pollModel: [Check] = [
        .hidden(
            "testSleepsWhileNothingComes", "While nothing comes, the server is never woken.",
            restsOn: "testWaitsInPoll",
            hint: "The third argument of poll is a limit in milliseconds; -1 means none."),
        .hidden(
            "testMakesNoCallsForTheIdle",
            "A request takes as many calls with 500 idle clients as with 10.", points: 2,
            restsOn: "testWaitsInPoll",
            hint: "Call proceed only for the rows whose `revents` is not 0."),
        .hidden(
            "testWaitsForADescriptorToBeFree",
            "When no descriptor is left, clients wait in the backlog until another one leaves.",
            points: 2, restsOn: "testUsesRowsAgain",
            hint: "After EMFILE set the listener's `fd` to -1 in its row, and back when a client "
                + "has left."),
        .hidden(
            "testUsesTheCallsOfTheModel", "The calls that it makes are those of poll's model.",
            restsOn: "testEchoesALine",
            hint: "poll waits and tells who is ready; read and send then find what they need."),
        .hidden(
            "testGoesOnAfterAnInterruption", "A call that a signal interrupts is made again.",
            restsOn: "testServesTwoClientsAtOnce",
            hint:
                "EINTR is nobody's fault, and after it `revents` has old answers: call poll again."),
        .hidden(
            "testGoesOnAfterAFalseAlarm",
            "A read or an accept that finds nothing after all affects nobody.",
            restsOn: "testServesTwoClientsAtOnce",
            hint: "What poll says is a hint. EAGAIN means: nothing here now, so ask again."),
        .hidden(
            "testGoesOnAfterAnAbortedConnection",
            "A client that is lost before it is accepted does not affect the others.",
            restsOn: "testServesTwoClientsAtOnce",
            hint:
                "ECONNABORTED, EPROTO and others concern one client: take the next."
        ),
        .hidden(
            "testGoesOnWithoutRoom",
            "When there is no room for another client, the server goes on, and takes it later.",
            restsOn: "testServesTwoClientsAtOnce",
            hint:
                "ENFILE, ENOBUFS, ENOMEM are like EMFILE: pause, and try again."
        ),
        .hidden(
            "testEndsWhenItsListenerIsBroken",
            "When its listener is broken, the server says why and ends with status 1.",
            restsOn: "testServesTwoClientsAtOnce",
            hint:
                "An error of accept that concerns neither one client nor the room is the "
                + "listener's: throw it."),
    ]
}
