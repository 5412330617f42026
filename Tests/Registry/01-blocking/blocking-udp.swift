// SPDX-License-Identifier: MIT

extension Course {
    static let blockingUDP = Exercise(
        id: "blocking-udp", title: "A UDP echo server that waits in recvfrom",
        chapter: "01-blocking", text: "01-blocking", section: "Exercise: blocking-udp",
        secondsPerCheck: 10,
        hints: [
            "One call waits, takes the datagram and tells you who sent it: recvfrom(2).",
            "`sender.withMutableSockaddr { recvfrom(socket, &buffer, buffer.count, 0, $0, $1) }` "
                + "fills the buffer and the sender's address; its result is the datagram's size.",
            "Loop forever: recvfrom, then `sender.withSockaddr { sendto(socket, buffer, count, 0, "
                + "$0, $1) }`. 0 bytes is a datagram like any other. If sendto fails, go on.",
        ],
        scene: .datagrams,
        model: .blocking,
        calls: CallRules(
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
                "testEchoesAnEmptyDatagram", "A datagram without bytes comes back too.",
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
                "A reply to a sender that has closed its socket does not affect the others.",
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
                hint: "Retry recvfrom: EINTR is nobody's fault."),
            .hidden(
                "testGoesOnAfterAReplyThatFails", "A reply that fails does not affect the others.",
                restsOn: "testEchoesADatagram",
                hint: "When sendto fails, that reply is lost, as any datagram may be: go on."),
        ])
}
