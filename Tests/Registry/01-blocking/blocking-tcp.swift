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
        model: CallRules(
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
            .hidden(
                "testEchoesBytesOneByOne", "Bytes that come one at a time come back one at a time.",
                restsOn: "testEchoesALine",
                hint: "TCP is a stream: send back what has come, and wait for nothing else."),
            .hidden(
                "testClientThatSaysNothing", "A client may leave without having sent a byte.",
                restsOn: "testEchoesALine",
                hint: "read gives 0 at the end, also when it is the first read. That is no error."),
            .hidden(
                "testEchoesAfterHalfClose",
                "A client that has finished sending still gets all its bytes, and then the end.",
                restsOn: "testEchoesALine",
                hint:
                    "After read gives 0, close without SO_LINGER: the kernel sends the rest "
                    + "first."),
            .hidden(
                "testSurvivesAReset",
                "A client that resets its connection does not affect the others.",
                restsOn: "testEchoesALine",
                hint: "read then fails with ECONNRESET. Close that client, and go on with the next."
            ),
            .hidden(
                "testSurvivesAWriteToAGoneClient",
                "A write to a client that is gone does not affect the others.", points: 2,
                restsOn: "testEchoesALine",
                hint:
                    "Ignore SIGPIPE, or send with MSG_NOSIGNAL, and treat EPIPE as the "
                    + "client's end."
            ),
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
                "testLeavesNoDescriptor", "After 300 clients no descriptor is left open.",
                points: 2,
                restsOn: "testSurvivesAReset",
                hint: "Close the connection on every way out of the loop, also after an error."),
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
                "testUsesTheCallsOfTheModel",
                "The calls that it makes are those of the blocking model.",
                restsOn: "testEchoesALine",
                hint: "accept waits for a client, read for its bytes; nothing else is asked."),
            .hidden(
                "testGoesOnAfterAnInterruption", "A call that a signal interrupts is made again.",
                restsOn: "testServesOneClientAfterTheOther",
                hint: "Retry the call: EINTR is nobody's fault."),
            .hidden(
                "testGoesOnAfterAnAbortedConnection",
                "A client that is lost before it is accepted does not affect the others.",
                restsOn: "testServesOneClientAfterTheOther",
                hint:
                    "ECONNABORTED, EPROTO and others concern one client: take the next."
            ),
            .hidden(
                "testGoesOnWithoutRoom",
                "When there is no room for another client, the server goes on, and takes it later.",
                restsOn: "testServesOneClientAfterTheOther",
                hint:
                    "ENFILE, ENOBUFS, ENOMEM are like EMFILE: pause, and try again."
            ),
            .hidden(
                "testEndsWhenItsListenerIsBroken",
                "When its listener is broken, the server says why and ends with status 1.",
                restsOn: "testServesOneClientAfterTheOther",
                hint:
                    "An error of accept that concerns neither one client nor the room is the "
                    + "listener's: throw it."),
            .hidden(
                "testWaitsForADescriptor",
                "A client that finds no descriptor left is served when there is one again.",
                restsOn: "testServesOneClientAfterTheOther",
                hint: "EMFILE from accept ends nothing: pauseForRoom, and accept again."),
            .hidden(
                "testGoesOnAfterAShortWrite", "When write takes only a part, the rest follows.",
                restsOn: "testEchoesALine",
                hint: "write says how much it has taken: go on with the rest, in a loop."),
            .hidden(
                "testEchoesAllToASlowReader",
                "8 MiB come back whole to a client that reads slowly.", points: 2,
                restsOn: "testGoesOnAfterAShortWrite",
                hint: "write takes what fits into the socket's buffer: go on with the rest."),
        ])
}
