// SPDX-License-Identifier: MIT

extension Course {
    static let nonblockingUDP = Exercise(
        id: "nonblocking-udp", title: "A UDP echo server that works while nothing comes",
        chapter: "02-nonblocking", text: "02-nonblocking", section: "Exercise: nonblocking-udp",
        secondsPerCheck: 10,
        hints: [
            "With O_NONBLOCK a recvfrom that finds nothing gives -1, and errno is EAGAIN. That is "
                + "an answer, not a failure.",
            "Set the flag once, before the loop: fcntl with F_GETFL gives the flags; fcntl with "
                + "F_SETFL sets those and O_NONBLOCK.",
            "Loop forever: recvfrom. If it gives a count, answer. If it gives EAGAIN, call "
                + "`work.tick()` once. If it gives EINTR, do nothing. Anything else, throw.",
        ],
        scene: .datagrams,
        model: .nonblocking,
        calls: CallRules(
            require: [CallRules.receive, CallRules.send],
            forbid: [
                .asksInsteadOfTheSocket, .pausesInTheLoop, .submitsRings, .startsOthers,
            ]),
        checks: [
            .public(
                "testEchoesADatagram", "A datagram comes back as it was sent.", points: 2,
                hint: "EAGAIN is no error: ask again. A count means a datagram: send it back."),
            .public(
                "testWorksWhileNothingComes", "While nothing comes, the work gets on.",
                restsOn: "testEchoesADatagram",
                hint: "Call work.tick() after EAGAIN. Is O_NONBLOCK set, with F_SETFL and not "
                    + "F_SETFD? Otherwise recvfrom waits."),
            .hidden(
                "testEchoesAnEmptyDatagram", "A datagram without bytes comes back too.",
                restsOn: "testEchoesADatagram",
                hint: "recvfrom gives 0 for an empty datagram, and -1 with EAGAIN for none."),
            .hidden(
                "testEchoesEverySize", "Datagrams of 1, 1,472 and 65,507 bytes come back whole.",
                restsOn: "testEchoesADatagram",
                hint: "What does not fit into the buffer is cut off and lost: make it 65,507 bytes."
            ),
            .hidden(
                "testEchoesWhatOnlyLooksLikeTheQuestion",
                "Only the five bytes `ticks` are the question; anything else comes back.",
                restsOn: "testEchoesADatagram",
                hint: "Compare the whole datagram, its length too, with the question."),
            .hidden(
                "testAnswersTheRightSender", "Each of several senders gets its own datagram back.",
                points: 2, restsOn: "testEchoesADatagram",
                hint: "Reply to the address that this recvfrom gave, and ask for it at each call."),
            .hidden(
                "testEchoesABurst", "200 datagrams that came at once all come back, in order.",
                restsOn: "testEchoesADatagram",
                hint: "Each datagram in the queue needs its own recvfrom and its own reply."),
            .hidden(
                "testSurvivesASenderThatIsGone",
                "A reply to a sender that has closed its socket does not affect the others.",
                restsOn: "testAnswersTheRightSender",
                hint: "Go on when sendto fails. On a connected socket the error would come out of "
                    + "the next recvfrom."),
            .hidden(
                "testWorksOnceForEachRefusal", "Each EAGAIN is followed by one tick of the work.",
                points: 2, restsOn: "testWorksWhileNothingComes",
                hint: "One recvfrom, one tick, one recvfrom, one tick, while nothing comes."),
            .hidden(
                "testAnswersBeforeItWorks", "While datagrams wait, it does not work.",
                restsOn: "testWorksWhileNothingComes",
                hint: "Work only after EAGAIN, and not after a datagram: another may be waiting."),
            .hidden(
                "testNeverRests", "While nothing comes, the server asks on, without a pause.",
                points: 2, restsOn: "testEchoesADatagram",
                hint: "Nothing in the loop may wait: no blocking recvfrom (O_NONBLOCK is set with "
                    + "F_SETFL), no sleep, no time limit."),
            .hidden(
                "testUsesTheCallsOfTheModel",
                "The calls that it makes are those of the nonblocking model.",
                restsOn: "testEchoesADatagram",
                hint: "recvfrom asks, and returns at once, so the socket needs O_NONBLOCK: "
                    + "F_SETFL, not F_SETFD. One sendto answers."),
            .hidden(
                "testGoesOnAfterAnInterruption", "A call that a signal interrupts is made again.",
                restsOn: "testEchoesADatagram",
                hint: "Retry recvfrom: EINTR is nobody's fault."),
            .hidden(
                "testGoesOnAfterAReplyThatFails", "A reply that fails does not affect the others.",
                restsOn: "testEchoesADatagram",
                hint: "sendto may give EAGAIN too. Then that reply is lost, as any datagram may "
                    + "be: go on with recvfrom, which does not wait."),
        ])
}

extension CallRules.Forbidden {
    static let asksInsteadOfTheSocket = CallRules.Forbidden(
        signs: asksForReadiness.signs,
        meaning:
            "It lets a call tell what is ready. That is the model of chapters 3 to 5; here every "
            + "socket is asked itself, again and again.")
    static let pausesInTheLoop = CallRules.Forbidden(
        signs: waitsByTheClock.signs,
        meaning:
            "It pauses between two looks. What comes meanwhile waits until the pause is over; the "
            + "chapter measures that.")
}
