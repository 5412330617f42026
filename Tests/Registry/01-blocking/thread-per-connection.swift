// SPDX-License-Identifier: MIT

extension Course {
    static let threadPerConnection = Exercise(
        id: "thread-per-connection", title: "A TCP echo server with a thread for each client",
        chapter: "01-blocking", text: "01-blocking", section: "Exercise: thread-per-connection",
        secondsPerCheck: 30,
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
        model: .threads,
        calls: CallRules(
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
        ] + threadPerConnectionContract + [
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
                "testGoesOnWithoutAThread",
                "A client for whom no thread can be started is closed, and the others are served.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "createThread throws EAGAIN when there is no room for a thread: close that "
                    + "client, and go on."),
            .hidden(
                "testThreadsEndWithTheirClients",
                "When the clients have left, their threads have ended.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "A thread ends when its function returns: return after the client's end."),
            .hidden(
                "testReleasesTheStacks", "300 threads that have ended hold no stacks.",
                restsOn: "testServesTwoClientsAtOnce",
                hint: "Call pthread_detach for each thread, or let somebody pthread_join it."),
        ])

    /// What it shares with all TCP echo servers.
    private static let threadPerConnectionContract = EchoContract.checks(
        .threads,
        points: [
            "testKeepsClientsApart": 2,
            "testServesManyClients": 2,
        ],
        hints: [
            "testGoesOnAfterAShortWrite":
                "write says how much it has taken: go on with the rest, in a loop.",
            "testASlowReaderHoldsNobody":
                "Hold no lock while a call waits: the thread may wait there for a long time.",
            "testKeepsClientsApart":
                "A buffer outside of the thread's own function is shared by all threads.",
            "testSurvivesAReset":
                "read fails with ECONNRESET: end this thread, not the process.",
            "testSurvivesAWriteToAGoneClient":
                "SIGPIPE ends all threads at once: ignore it, or send with MSG_NOSIGNAL.",
            "testLeavesNoDescriptor":
                "Close the connection on every way out of echo, also after an error: `defer`.",
            "testServesManyClients":
                "Nothing may limit the threads: no pool, no counter, and a Task is not a "
                + "thread.",
            "testGoesOnWhenDescriptorsRunOut":
                "EMFILE from accept ends nothing: pauseForRoom, and accept again.",
            "testUsesTheCallsOfTheModel":
                "accept waits in the first thread, read in each of the others; nothing else "
                + "is asked.",
        ])
}
