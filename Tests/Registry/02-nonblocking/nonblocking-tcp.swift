// SPDX-License-Identifier: MIT

extension Course {
    static let nonblockingTCP = Exercise(
        id: "nonblocking-tcp", title: "A TCP echo server that asks every client in turn",
        chapter: "02-nonblocking", text: "02-nonblocking", section: "Exercise: nonblocking-tcp",
        secondsPerCheck: 15,
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
        model: CallRules(
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
            .hidden(
                "testEchoesBytesOneByOne", "Bytes that come one at a time come back one at a time.",
                restsOn: "testEchoesALine",
                hint: "TCP is a stream: send back what has come, and wait for nothing else."),
            .hidden(
                "testClientThatSaysNothing", "A client may leave without having sent a byte.",
                restsOn: "testEchoesALine",
                hint: "read gives 0 at the end, and -1 with EAGAIN while nothing has come."),
            .hidden(
                "testSurvivesAReset",
                "A client that resets its connection does not affect the others.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "read then fails with ECONNRESET: close this client, and go on."),
            .hidden(
                "testSurvivesAWriteToAGoneClient",
                "A write to a client that is gone does not affect the others.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "Send with MSG_NOSIGNAL, or ignore SIGPIPE, and take EPIPE for the end."),
            .hidden(
                "testGoesOnAfterAnInterruption", "A call that a signal interrupts is made again.",
                restsOn: "testEchoesALine",
                hint: "Retry the call: EINTR is nobody's fault."),
            .hidden(
                "testGoesOnAfterAnAbortedConnection",
                "A client that is lost before it is accepted does not affect the others.",
                restsOn: "testEchoesALine",
                hint:
                    "ECONNABORTED, EPROTO and others concern one client: take the next."
            ),
            .hidden(
                "testGoesOnWithoutRoom",
                "When there is no room for another client, the server goes on, and takes it later.",
                restsOn: "testEchoesALine",
                hint:
                    "ENFILE, ENOBUFS, ENOMEM are like EMFILE: ask in a later turn."
            ),
            .hidden(
                "testEndsWhenItsListenerIsBroken",
                "When its listener is broken, the server says why and ends with status 1.",
                restsOn: "testEchoesALine",
                hint:
                    "An error of accept that concerns neither one client nor the room is the "
                    + "listener's: throw it."),
            .hidden(
                "testGoesOnAfterAShortWrite", "When a write takes only a part, the rest follows.",
                restsOn: "testEchoesALine",
                hint: "send says how much it has taken: go on with the rest."),
            .hidden(
                "testKeepsWhatIsNotTaken", "When a write finds no room, its bytes are sent later.",
                points: 2, restsOn: "testEchoesALine",
                hint: "EAGAIN from send is no error: keep the bytes, and try again in the next "
                    + "turn."),
            .hidden(
                "testEchoesAllToASlowReader", "12 MiB come back whole to a client that reads late.",
                points: 2, restsOn: "testKeepsWhatIsNotTaken",
                hint: "Keep what was not taken, send it first, and in its order."),
            .hidden(
                "testEchoesAfterHalfClose",
                "A client that has finished sending still gets all its bytes, and then the end.",
                restsOn: "testKeepsWhatIsNotTaken",
                hint: "close without SO_LINGER: the kernel then sends the rest first."),
            .hidden(
                "testSendsTheRestBeforeItCloses",
                "A client's end is acted upon when nothing is unsent any more.",
                restsOn: "testKeepsWhatIsNotTaken",
                hint: "Read nothing, not the end either, while bytes are unsent; or remember the "
                    + "end."),
            .hidden(
                "testASlowReaderHoldsNobody",
                "A client that does not read does not keep others waiting.",
                points: 2, restsOn: "testKeepsWhatIsNotTaken",
                hint: "After EAGAIN leave this client, and come back to it in the next turn."),
            .hidden(
                "testKeepsClientsApart", "What one client sends never reaches another.",
                restsOn: "testKeepsWhatIsNotTaken",
                hint: "Unsent bytes belong to one connection, not to the server."),
            .hidden(
                "testMemoryStaysBounded", "A client that never reads costs little memory.",
                points: 2, restsOn: "testKeepsWhatIsNotTaken",
                hint: "Do not read from a client that has unsent bytes."),
            .hidden(
                "testForgetsASlowReaderThatIsGone",
                "A client that is gone is forgotten, also with bytes unsent.",
                restsOn: "testASlowReaderHoldsNobody",
                hint: "Only EAGAIN and EINTR of send mean later. Any other error is the end."),
            .hidden(
                "testServes100ClientsInReverseOrder",
                "One thread serves 100 clients in reverse order, with silent ones among them.",
                points: 2, restsOn: "testServesTwoClientsAtOnce",
                hint: "Ask every client in each turn, whatever the one before has answered."),
            .hidden(
                "testClientsThatLeaveTogether", "Three clients may leave in the same turn.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "Removing one connection moves the others in an array: go through a copy."),
            .hidden(
                "testLeavesNoDescriptor", "After 300 clients no descriptor is left open.",
                points: 2, restsOn: "testSurvivesAReset",
                hint: "Close the socket on every way out, also after an error."),
            .hidden(
                "testGoesOnWithoutAFreeDescriptor",
                "Without a free descriptor it serves those that it has, and later the rest.",
                points: 2, restsOn: "testServesTwoClientsAtOnce",
                hint: "EMFILE from accept is no error of the listener: try again when a client "
                    + "has left."),
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
}
