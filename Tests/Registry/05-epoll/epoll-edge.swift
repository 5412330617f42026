// SPDX-License-Identifier: MIT

extension Course {
    static let epollEdge = Exercise(
        id: "epoll-edge", title: "A TCP echo server with edge-triggered epoll",
        chapter: "05-epoll", text: "05-epoll-edge", section: "Exercise: epoll-edge",
        secondsPerCheck: 40,
        hints: [
            "An edge is told once. Remember in each Connection whether a read, and whether a write, "
                + "may succeed; only EAGAIN from that call takes it back.",
            "One event may stand for many clients, many bytes, or for bytes and the end together: "
                + "accept until EAGAIN, read until EAGAIN, 0 or the turn's limit, write until "
                + "nothing is left or EAGAIN.",
            "A client that has used up its turn will not be named again. Put it into a list of your own, "
                + "and call epoll_wait with 0 instead of -1 as long as somebody stands in it.",
            "While bytes are unsent, do not read, but keep isReadable. When the next EPOLLOUT has "
                + "come and all is sent, go on reading in the same turn.",
        ],
        scene: .clients,
        model: .edge,
        calls: CallRules(
            require: [
                ["epoll_wait", "epoll_pwait"], ["epoll_ctl"], CallRules.accept, CallRules.receive,
                CallRules.send,
            ],
            forbid: [
                CallRules.Forbidden(
                    signs: ["poll", "ppoll", "select", "pselect6"],
                    meaning: "It asks with poll or select. epoll has told already, once."),
                .waitsByTheClock, .submitsRings, .startsOthers,
            ], callsPerRequest: 20),
        checks: [
            .public(
                "testEchoesALine", "A line comes back as it was sent.", points: 2,
                hint: "Wait in epoll_wait, read what has come, and send it back."),
            .public(
                "testServesTwoClientsAtOnce", "A silent client does not keep others waiting.",
                restsOn: "testEchoesALine",
                hint: "Add each connection to the interest list, and go back to epoll_wait."),
            .public(
                "testWatchesForEdges", "Each socket is watched with EPOLLET.", points: 2,
                restsOn: "testEchoesALine",
                hint: "Add EPOLLET to the events, of the listener and of every connection."),
        ] + epollEdgeContract + [
            .hidden(
                "testReadsUntilNothingIsLeft",
                "One event may stand for more than any buffer or turn.", points: 2,
                restsOn: "testEchoesALine",
                hint: "Read until EAGAIN. No edge comes for what is left in the socket."),
            .hidden(
                "testAcceptsUntilNobodyIsLeft", "One event may stand for 20 clients.", points: 2,
                restsOn: "testEchoesALine",
                hint: "Accept until EAGAIN. No edge comes for who is left in the backlog."),
            .hidden(
                "testTakesWhatComesBeforeEpollWait",
                "What comes between a server's last look and epoll_wait is not lost.", points: 2,
                hint:
                    "epoll_wait takes an event out of the ready list, also with a time limit of 0: "
                    + "handle all that any call of it gives."),
            .hidden(
                "testTakesWhatComesBeforeARead",
                "A byte that comes before the read that was to give EAGAIN is not lost.",
                restsOn: "testEchoesALine",
                hint:
                    "The read that is to give EAGAIN may give bytes instead: treat each read alike."
            ),
            .hidden(
                "testUsesNoClosedDescriptor", "After close, a descriptor is used no more.",
                restsOn: "testLeavesNoDescriptor",
                hint:
                    "When a client is over, leave the loop that reads from it, and take it out of "
                    + "your list: its number may soon belong to another."),
            .hidden(
                "testRemembersWhatCameMeanwhile",
                "Bytes that came while it waited for room are not forgotten.", points: 2,
                restsOn: "testEchoesALine",
                hint:
                    "When the unsent bytes are gone, read again: the event for what came meanwhile "
                    + "was told long ago, or together with EPOLLOUT."),
            .hidden(
                "testOneClientDoesNotStarveFifty", "One client that sends much does not starve 50.",
                points: 3, restsOn: "testReadsUntilNothingIsLeft",
                hint: "Limit the bytes of a turn, and call epoll_wait between two turns."),
            .hidden(
                "testWaitsInEpollWait", "While nothing happens, it waits in epoll_wait.", points: 2,
                restsOn: "testEchoesALine",
                hint:
                    "Set O_NONBLOCK on every socket, and give epoll_wait -1 when nothing is left to "
                    + "do."),
            .hidden(
                "testRegistersEachSocketOnce", "Each socket is registered once and for all.",
                points: 2, restsOn: "testServesTwoClientsAtOnce",
                hint: "EPOLL_CTL_ADD with all events at the start; no EPOLL_CTL_MOD afterwards."),
            .hidden(
                "testClosesAClientThatTheListHasNoRoomFor",
                "A client for whom the interest list has no room is closed, and the others are served.",
                restsOn: "testServesTwoClientsAtOnce",
                hint:
                    "epoll_ctl may fail with ENOSPC or ENOMEM: that is one client's matter. Close it."
            ),
        ])

    /// What it shares with all TCP echo servers.
    private static let epollEdgeContract = EchoContract.checks(
        // Of an edge EAGAIN is the end: nothing would tell it again.
        .edge, leavingOut: ["testGoesOnAfterAFalseAlarm"],
        points: [
            "testEchoesAllToASlowReader": 2,
            "testEchoesAfterHalfClose": 2,
            "testEchoesTheRestAfterTheEnd": 2,
            "testGoesOnWhenDescriptorsRunOut": 2,
        ],
        hints: [
            "testEchoesBytesOneByOne":
                "Send back what has come; wait for no more of it.",
            "testEchoesAllToASlowReader":
                "Keep what found no room, and go on with it at the next EPOLLOUT.",
            "testGoesOnAfterAShortWrite":
                "A write that took a part does not say that there is no room left: go on "
                + "writing until EAGAIN.",
            "testASlowReaderHoldsNobody":
                "A client that waits for room is not one that could go on: leave it out of "
                + "your list until EPOLLOUT comes.",
            "testKeepsClientsApart":
                "Each connection has its own unsent bytes; only the buffer may be shared.",
            "testReadsNoMoreThanItCanSend":
                "Read no more while bytes are unsent. The rest waits in the kernel, and TCP "
                + "slows the client down.",
            "testClientThatSaysNothing":
                "read gives 0 at the end: close the connection.",
            "testEchoesAfterHalfClose":
                "A read that gives less than asked for does not exclude the end behind it. "
                + "Read until EAGAIN or 0, or mind EPOLLRDHUP.",
            "testEchoesTheRestAfterTheEnd":
                "EPOLLRDHUP says that no more will come. It does not say that all is sent.",
            "testSurvivesAReset":
                "read fails with ECONNRESET: close this connection, and go on.",
            "testSurvivesAWriteToAGoneClient":
                "Ignore SIGPIPE, or send with MSG_NOSIGNAL, and expect EPIPE.",
            "testLeavesNoDescriptor":
                "Close the connection at the end and after an error, whichever event reports "
                + "it.",
            "testGoesOnWhenDescriptorsRunOut":
                "After EMFILE the backlog is not empty, and no edge will tell of it: accept "
                + "again when a client has left.",
            "testGoesOnAfterAnInterruption":
                "EINTR is neither an error nor EAGAIN: nothing was found out. Call again.",
            "testGoesOnAfterAnAbortedConnection":
                "ECONNABORTED concerns one client; others may wait behind it. Only EAGAIN "
                + "says that the backlog is empty.",
            "testGoesOnWithoutRoom":
                "ENFILE, ENOBUFS, ENOMEM are like EMFILE: pause, try again; no edge comes.",
            "testUsesTheCallsOfTheModel":
                "epoll_wait tells; accept, read and send act; nothing else is asked.",
        ])
}
