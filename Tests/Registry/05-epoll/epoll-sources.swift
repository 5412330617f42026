// SPDX-License-Identifier: MIT

extension Course {
    static let epollSources = Exercise(
        id: "epoll-sources", title: "A control room: seven kinds of descriptor in one epoll loop",
        chapter: "05-epoll", text: "05-epoll-sources", section: "Exercise: epoll-sources",
        secondsPerCheck: 10,
        hints: [
            "Begin with the listener and the clients; they are as in epoll-echo. Then take one source "
                + "after the other: open it without waiting, watch it, read it, tell its lines.",
            "What is read of a timer and of a counter is one UInt64. Of signals it is an array of "
                + "signalfd_siginfo; of inotify, events of different lengths, back to back.",
            "Each source has its trap: signals must be blocked, the FIFO opened for writing too, the "
                + "buffer of the queue large enough, and none of the descriptors may wait.",
        ],
        scene: .events,
        model: .epoll,
        calls: CallRules(
            require: [
                ["epoll_wait", "epoll_pwait", "epoll_pwait2"], CallRules.receive, CallRules.send,
            ],
            forbid: [asksAnew, .waitsByTheClock, .submitsRings, .startsOthers],
            callsPerRequest: 12, copies: nil),
        checks: sourceChecks + clientChecks)

    private static let asksAnew = CallRules.Forbidden(
        signs: ["poll", "ppoll", "select", "pselect6"],
        meaning: "It asks for each descriptor anew. epoll keeps the list in the kernel.")

    private static let sourceChecks: [Check] = [
        .public(
            "testTellsHowManyAreThere",
            "When clients come and leave, all are told how many there are.",
            points: 2,
            hint: "After each batch of events in which somebody came or left, tell "
                + "all: `clients N`."),
        .public(
            "testTellsTheTimer",
            "The timer tells how often it has expired.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "timerfd_settime takes a first expiration and a period; read "
                + "gives 8 bytes, a number."),
        .public(
            "testTellsASignal",
            "A signal is told, with its sender, and ends nobody.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "Block the signal before signalfd: an unblocked one is delivered,"
                + " and ends the process."),
        .hidden(
            "testCountsMissedExpirations",
            "Expirations that nobody has read are told in one line.",
            restsOn: "testTellsTheTimer",
            hint: "The number that read gives counts all expirations since the last read."),
        .hidden(
            "testADisarmedTimerHoldsNobody",
            "A timer that was stopped after epoll_wait had reported it blocks nobody.",
            restsOn: "testTellsTheTimer",
            hint: "An event is old news: open the timer with TFD_NONBLOCK, and "
                + "expect EAGAIN."),
        .hidden(
            "testTellsMergedSignals",
            "Signals that came meanwhile are all told, as far as the kernel "
                + "has kept them.",
            restsOn: "testTellsASignal",
            hint: "One read may give several signalfd_siginfo: tell each of them, "
                + "and read until all are told."),
        .hidden(
            "testAddsUpTheCounter",
            "The counter tells the sum of what was added.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "Without EFD_SEMAPHORE one read gives the whole sum, as 8 bytes, "
                + "and sets it to 0."),
        .hidden(
            "testAFullCounterHoldsNobody",
            "A number that does not fit into the counter is refused at once.",
            restsOn: "testAddsUpTheCounter",
            hint: "Open the counter with EFD_NONBLOCK: a write that would have to "
                + "wait then gives EAGAIN."),
        .hidden(
            "testTellsTheInbox",
            "Every file that comes into the inbox or leaves it is told.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "One read gives several events; the next begins behind the `len` "
                + "bytes of the name."),
        .hidden(
            "testTellsAnOverflow",
            "When events of the inbox were lost, that is told.",
            restsOn: "testTellsTheInbox",
            hint: "IN_Q_OVERFLOW comes without being asked for, with no watch (-1) "
                + "and no name."),
        .hidden(
            "testSurvivesTheEndOfTheInbox",
            "When the inbox itself is deleted, that is told once.",
            restsOn: "testTellsTheInbox",
            hint: "IN_IGNORED tells that the watch is gone. Nothing more comes: go "
                + "on with the other sources."),
        .hidden(
            "testTellsLinesOfTheFifo",
            "Each line of the FIFO is told when it is complete.",
            restsOn: "testTellsHowManyAreThere",
            hint: "A FIFO is a stream: let Lines keep the part without a newline "
                + "until the rest comes."),
        .hidden(
            "testWritersOfTheFifoComeAndGo",
            "When the last writer has left, the server rests, and hears the "
                + "next one.",
            points: 2, restsOn: "testTellsLinesOfTheFifo",
            hint: "At the end of a FIFO epoll reports EPOLLHUP forever: keep a "
                + "writing end open yourself."),
        .hidden(
            "testDrainsTheQueue",
            "The messages of the queue are told, those of high priority first.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "mq_receive gives one message and its priority; its buffer must "
                + "not be too small."),
        .hidden(
            "testTellsAllSourcesAtOnce",
            "Events of five sources at the same moment are all told.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "epoll_wait gives several events: look at each of them, up to its"
                + " result."),
        .hidden(
            "testWatchesEverySource",
            "One interest list has all six sources.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "Each source is a descriptor: add it with EPOLL_CTL_ADD and "
                + "EPOLLIN, once."),
        .hidden(
            "testWaitsInEpollWait",
            "While nothing happens, the one thread waits in epoll_wait "
                + "without a limit.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "What is told must be read, or epoll_wait returns at once. Its "
                + "time limit is -1."),
    ]

    private static let clientChecks: [Check] = [
        .hidden(
            "testTakesCommandsInPieces",
            "A command may come in any pieces, and its answer is for its "
                + "client alone.",
            restsOn: "testAddsUpTheCounter",
            hint: "TCP is a stream: use the lines of Client.receive, and tell an "
                + "answer to that socket."),
        .hidden(
            "testObeysAClientThatLeaves", "What a client has sent before it left is obeyed.",
            restsOn: "testAddsUpTheCounter",
            hint: "Its bytes and its end come together: EPOLLRDHUP does not mean that all is read."),
        .hidden(
            "testTellsAllClientsTheSame",
            "All clients are told the same lines, each once, in the same order.",
            points: 2, restsOn: "testTellsLinesOfTheFifo",
            hint: "Read a source once, and then tell all clients what it gave."),
        .hidden(
            "testLeavesNoDescriptor",
            "After 300 clients no descriptor is left open.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "Close the socket on every way on which a client leaves."),
        .hidden(
            "testSurvivesAWriteToAGoneClient",
            "Lines for a client that is gone end nobody else.",
            restsOn: "testTellsASignal",
            hint: "Client.tell says false for a client that is gone. A write of "
                + "your own raises SIGPIPE."),
        .hidden(
            "testASlowClientGetsAllLines",
            "A client that reads late gets every line.",
            points: 2, restsOn: "testTellsLinesOfTheFifo",
            hint: "While a client has unsent bytes, ask for EPOLLOUT too, and send"
                + " on when it comes."),
        .hidden(
            "testDropsAClientThatDoesNotRead",
            "A client that reads nothing is dropped, before it fills the memory.",
            points: 2, restsOn: "testTellsLinesOfTheFifo",
            hint: "Client.tell says false when too much is unsent: close it,"
                + " and tell the others."),
        .hidden(
            "testRunsOutOfDescriptors",
            "Without a free descriptor, new clients wait in the backlog, and "
                + "the server rests.",
            restsOn: "testTellsHowManyAreThere",
            hint: "After EMFILE take EPOLLIN from the listener; give it back when a"
                + " client has left."),
        .hidden(
            "testUsesTheCallsOfTheModel",
            "The calls that it makes are those of the model.",
            points: 2, restsOn: "testTellsHowManyAreThere",
            hint: "epoll_wait is the only call that waits; epoll_ctl is for what is new."),
        .hidden(
            "testGoesOnAfterAnInterruption",
            "A call that a signal interrupts is made again.",
            restsOn: "testTellsTheTimer",
            hint: "EINTR is nobody's fault: what is ready is still ready at the next "
                + "epoll_wait."),
        .hidden(
            "testGoesOnAfterAnAbortedConnection",
            "A client that is lost before it is accepted does not affect the others.",
            restsOn: "testTellsTheInbox",
            hint:
                "accept also reports what has happened to one client: take the next."
        ),
        .hidden(
            "testGoesOnWithoutRoom",
            "When there is no room for another client, the server goes on, and takes it later.",
            restsOn: "testTellsTheInbox",
            hint:
                "ENFILE, ENOBUFS, ENOMEM are like EMFILE: pause, and try again."
        ),
        .hidden(
            "testEndsWhenItsListenerIsBroken",
            "When its listener is broken, the server says why and ends with status 1.",
            restsOn: "testTellsTheInbox",
            hint:
                "An error of accept that concerns neither one client nor the room is the "
                + "listener's: throw it."),
        .hidden(
            "testClosesAClientThatTheListHasNoRoomFor",
            "A client for whom the interest list has no room is closed, and the others are served.",
            restsOn: "testTellsTheInbox",
            hint: "epoll_ctl may fail with ENOSPC or ENOMEM: that is one client's matter. Close it."
        ),
        .hidden(
            "testGoesOnAfterAShortWrite",
            "When a write takes only a part, the rest follows.",
            restsOn: "testTellsTheInbox",
            hint: "Send the rest in a loop, or when EPOLLOUT comes."),
    ]
}
