// SPDX-License-Identifier: MIT

extension Course {
    static let threadPerConnection = Exercise(
        id: "thread-per-connection", title: "A TCP echo server with a thread for each client",
        chapter: "01-blocking", text: "01-blocking", section: "Exercise: thread-per-connection",
        secondsPerCheck: 20,
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
                "testServesTwoClientsAtOnce", "A silent client does not keep others waiting.",
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
                "testAResetHoldsNobody",
                "A client that resets its connection does not affect the others.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "read fails with ECONNRESET: end this thread, not the process."),
            .hidden(
                "testSurvivesAWriteToAGoneClient",
                "A write to a client that is gone does not affect the others.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "SIGPIPE ends all threads at once: ignore it, or send with MSG_NOSIGNAL."),
            .hidden(
                "testASlowReaderHoldsNobody",
                "A client that does not read does not keep others waiting.",
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
                hint: "Retry the call: EINTR is nobody's fault."),
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
            .hidden(
                "testWaitsForADescriptor",
                "A client that finds no descriptor left is served when there is one again.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "EMFILE from accept ends nothing: pauseForRoom, and accept again."),
            .hidden(
                "testGoesOnAfterAShortWrite", "When write takes only a part, the rest follows.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "write says how much it has taken: go on with the rest, in a loop."),
        ])
}
