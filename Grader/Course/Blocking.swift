// SPDX-License-Identifier: MIT

extension Course {
    static let blocking = Chapter(
        id: "01-blocking", title: "Blocking I/O",
        exercises: [blockingUDP, blockingTCP, threadPerConnection])

    private static let blockingUDP = Exercise(
        id: "blocking-udp", title: "A UDP echo server that waits in recvfrom",
        chapter: "01-blocking", section: "Exercise: blocking-udp", secondsPerCheck: 10,
        hints: [
            "One call waits, takes the datagram and tells you who sent it: recvfrom(2).",
            "`sender.withMutableSockaddr { recvfrom(socket, &buffer, buffer.count, 0, $0, $1) }` "
                + "fills the buffer and the sender's address; its result is the datagram's size.",
            "Loop for ever: recvfrom, then `sender.withSockaddr { sendto(socket, buffer, count, 0, "
                + "$0, $1) }`. 0 bytes is a datagram like any other. If sendto fails, go on.",
        ],
        scene: .datagrams,
        model: CallRules(
            require: [CallRules.receive, CallRules.send],
            forbid: [
                .asksForReadiness, .asksWithoutWaiting, .waitsByTheClock, .submitsRings,
                .startsOthers,
            ], callsPerRequest: 4),
        checks: [
            .public(
                "testEchoesADatagram", "A datagram comes back as it was sent.", points: 2,
                hint: "Send back as many bytes as recvfrom reported, to the address it filled in."),
            .hidden(
                "testEchoesAnEmptyDatagram", "A datagram without bytes comes back, too.",
                restsOn: "testEchoesADatagram",
                hint: "recvfrom gives 0 for an empty datagram. In UDP 0 does not mean the end."),
            .hidden(
                "testEchoesEverySize", "Datagrams of 1, 1,472 and 65,507 bytes come back whole.",
                restsOn: "testEchoesADatagram",
                hint: "What does not fit into the buffer is cut off and lost: make it 65,507 bytes."
            ),
            .hidden(
                "testAnswersTheRightSender", "Each of several senders gets its own datagram back.",
                points: 2, restsOn: "testEchoesADatagram",
                hint: "Reply to the address that this recvfrom gave, and ask for it at each call."),
            .hidden(
                "testEchoesABurst", "200 datagrams that came at once all come back, in order.",
                restsOn: "testEchoesADatagram",
                hint: "Each datagram in the queue needs its own recvfrom and its own reply."),
            .hidden(
                "testWaitsInRecvfrom", "While nothing comes, the server is blocked in recvfrom.",
                points: 2, restsOn: "testEchoesADatagram",
                hint: "The model of this chapter is one call that waits: no poll, no "
                    + "MSG_DONTWAIT."),
            .hidden(
                "testSleepsUntilADatagramComes", "While nothing comes, the server is never woken.",
                restsOn: "testEchoesADatagram",
                hint: "A time limit (SO_RCVTIMEO) wakes the server for nothing: let recvfrom "
                    + "wait."),
            .hidden(
                "testSurvivesASenderThatIsGone",
                "A reply to a sender that has closed its socket troubles nobody else.",
                restsOn: "testAnswersTheRightSender",
                hint:
                    "Reply to the address that this recvfrom gave, and go on when sendto "
                    + "fails. On a connected "
                    + "socket the error would come out of the next recvfrom."),
            .hidden(
                "testUsesTheCallsOfTheModel",
                "The calls that it makes are those of the blocking model.",
                restsOn: "testEchoesADatagram",
                hint: "One recvfrom waits and brings the datagram; one sendto answers."),
            .hidden(
                "testGoesOnAfterAnInterruption", "A call that a signal interrupts is made again.",
                restsOn: "testEchoesADatagram",
                hint: "EINTR is no error of the socket: call recvfrom again."),
            .hidden(
                "testGoesOnAfterAReplyThatFails", "A reply that fails troubles nobody else.",
                restsOn: "testEchoesADatagram",
                hint: "When sendto fails, that reply is lost, as any datagram may be: go on."),
        ])

    private static let blockingTCP = Exercise(
        id: "blocking-tcp", title: "A TCP echo server, one client at a time",
        chapter: "01-blocking", section: "Exercise: blocking-tcp", secondsPerCheck: 10,
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
                "testSurvivesAReset", "A client that breaks off does not end the server.",
                restsOn: "testEchoesALine",
                hint: "read then fails with ECONNRESET. Close that client, and go on with the next."
            ),
            .hidden(
                "testSurvivesAWriteToAGoneClient",
                "A write to a client that is gone does not end the server.", points: 2,
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
                hint: "EINTR is no error of the client or the listener: make the same call again."),
            .hidden(
                "testGoesOnAfterAnAbortedConnection",
                "A client that is gone before it is accepted troubles nobody else.",
                restsOn: "testServesOneClientAfterTheOther",
                hint: "ECONNABORTED tells of one client, not of the listener: accept the next."),
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

    private static let threadPerConnection = Exercise(
        id: "thread-per-connection", title: "A TCP echo server with a thread for each client",
        chapter: "01-blocking", section: "Exercise: thread-per-connection", secondsPerCheck: 20,
        hints: [
            "The first thread only accepts. Each connection goes to a thread of its own, which "
                + "runs "
                + "echo and closes it.",
            "A thread that has ended still holds its stack until it is joined or was detached. "
                + "Joining "
                + "it right after its start would make the clients wait for each other.",
            "All threads share one descriptor table and one memory: close a connection in one "
                + "place "
                + "only, and give each thread its own buffer.",
        ],
        scene: .clients,
        model: CallRules(
            require: [CallRules.accept, CallRules.receive, CallRules.send, ["clone", "clone3"]],
            forbid: [
                .asksForReadiness, .asksWithoutWaiting, .waitsByTheClock, .submitsRings,
            ], callsPerRequest: 12),
        checks: [
            .public(
                "testEchoesALine", "A line comes back as it was sent.", points: 2,
                hint: "Start a thread with the accepted connection, and echo in it."),
            .public(
                "testServesTwoClientsAtOnce", "A silent client keeps no other client waiting.",
                restsOn: "testEchoesALine",
                hint:
                    "Go back to accept at once. A join right after the start waits for the "
                    + "client."),
            .hidden(
                "testServes200ClientsInReverseOrder",
                "200 clients are served at once, in reverse order, the first one silent.",
                points: 2,
                restsOn: "testServesTwoClientsAtOnce",
                hint:
                    "Nothing may limit the threads: no pool, no counter, and a Task is not a "
                    + "thread."
            ),
            .hidden(
                "testStartsAThreadForEachClient",
                "Each client gets a new thread.",
                points: 2, restsOn: "testServesTwoClientsAtOnce",
                hint: "Call createThread after accept, once for each connection."),
            .hidden(
                "testEachThreadWaitsInItsOwnRead",
                "Each thread waits in read on its own connection.",
                points: 2, restsOn: "testServesTwoClientsAtOnce",
                hint: "Let read wait in each thread: no poll, no MSG_DONTWAIT, no shared loop."),
            .hidden(
                "testThreadsEndWithTheirClients",
                "When the clients have left, their threads have ended.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "A thread ends when its function returns: return after the client's end."),
            .hidden(
                "testClosesEveryConnection",
                "When the clients have left, their descriptors are closed.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "Close the connection on every way out of echo, also after an error: `defer`."
            ),
            .hidden(
                "testReleasesTheStacks", "300 threads that have ended hold no stacks.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "Call pthread_detach for each thread, or let somebody pthread_join it."),
            .hidden(
                "testKeepsClientsApart", "What one client sends never reaches another.", points: 2,
                restsOn: "testServesTwoClientsAtOnce",
                hint: "A buffer outside of the thread's own function is shared by all threads."),
            .hidden(
                "testAResetHoldsNobody", "A client that breaks off troubles nobody else.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "read fails with ECONNRESET: end this thread, not the process."),
            .hidden(
                "testSurvivesAWriteToAGoneClient",
                "A write to a client that is gone does not end the server.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "SIGPIPE ends all threads at once: ignore it, or send with MSG_NOSIGNAL."),
            .hidden(
                "testASlowReaderHoldsNobody", "A client that does not read keeps no other waiting.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "Hold no lock while a call waits: the thread may wait there for a long "
                    + "time."),
            .hidden(
                "testUsesTheCallsOfTheModel",
                "The calls that it makes are those of the blocking model.",
                restsOn: "testServesTwoClientsAtOnce",
                hint:
                    "accept waits in the first thread, read in each of the others; nothing else is asked."
            ),
            .hidden(
                "testGoesOnAfterAnInterruption", "A call that a signal interrupts is made again.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "EINTR is no error of the client or the listener: make the same call again."),
            .hidden(
                "testGoesOnAfterAnAbortedConnection",
                "A client that is gone before it is accepted troubles nobody else.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "ECONNABORTED tells of one client, not of the listener: accept the next."),
            .hidden(
                "testGoesOnAfterAShortWrite", "When write takes only a part, the rest follows.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "write says how much it has taken: go on with the rest, in a loop."),
        ])
}
