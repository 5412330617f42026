// SPDX-License-Identifier: MIT

/// What every TCP echo server of the course keeps, whatever its model: one row for each promise, judged by
/// the scenes of the same names in Tests/Hidden/Scenes. A model adds what is its own.
enum EchoContract {
    /// Which models a promise can be asked of.
    private enum Scope {
        case all
        /// Those that serve several clients at once.
        case many
        /// Those whose one thread serves several clients.
        case oneThread
        /// Those whose one thread waits in a call that says who is ready.
        case readiness

        func holds(_ model: Model) -> Bool {
            switch self {
            case .all: true
            case .many: model.servesMany
            case .oneThread: model.servesMany && model.hasOneThread
            case .readiness: model.servesMany && model.hasOneThread && !model.polls
            }
        }
    }

    /// The hidden rows of the contract for a model.
    /// - Parameters:
    ///   - leavingOut: Promises that the exercise does not make, or judges in a way of its own.
    ///   - points: What a row is worth, if not 1.
    ///   - hints: What the model's own hint is.
    static func checks(
        _ model: Model, leavingOut: Set<String> = [], points: [String: Int] = [:],
        hints: [String: String] = [:]
    ) -> [Check] {
        let known = Set(rows.map(\.method))
        precondition(
            leavingOut.union(points.keys).union(hints.keys).isSubset(of: known),
            "The echo contract has no row of that name.")
        return rows.filter { $0.scope.holds(model) && !leavingOut.contains($0.method) }.map { row in
            .hidden(
                row.method, row.title, points: points[row.method] ?? 1,
                restsOn: row.scope == .all ? "testEchoesALine" : "testServesTwoClientsAtOnce",
                hint: hints[row.method] ?? row.hint)
        }
    }

    private typealias Row = (scope: Scope, method: String, title: String, hint: String)

    private static let rows: [Row] = bytes + ends + crowd + faults

    private static let bytes: [Row] = [
        (
            .all, "testEchoesBytesOneByOne",
            "Bytes that come one at a time come back one at a time.",
            "TCP is a stream: send back what has come, and wait for nothing else."
        ),
        (
            .all, "testEchoesAllToASlowReader",
            "All bytes come back, in their order, to a client that reads slowly and sends on.",
            "What a write did not take is kept, and sent first when there is room again."
        ),
        (
            .all, "testGoesOnAfterAShortWrite", "When a write takes only a part, the rest follows.",
            "A write says how much it has taken: send the rest, from there on."
        ),
        (
            .many, "testASlowReaderHoldsNobody",
            "A client that does not read its replies does not keep the others waiting.",
            "Never wait for room in one socket while others may have something to say."
        ),
        (
            .many, "testKeepsClientsApart", "Two slow readers get their own bytes, and only those.",
            "What is unsent belongs to one connection, and so does the buffer that it waits in."
        ),
        (
            .oneThread, "testReadsNoMoreThanItCanSend",
            "Little is kept of a client that sends and does not read.",
            "While bytes of a client are unsent, read no more of it: its own kernel will make it wait."
        ),
    ]

    private static let ends: [Row] = [
        (
            .all, "testClientThatSaysNothing", "A client may leave without having sent a byte.",
            "read gives 0 at the end: close the client, and go on."
        ),
        (
            .all, "testEchoesAfterHalfClose",
            "A client that has finished sending still gets all its bytes, and then the end.",
            "The end may come together with bytes: read until read gives 0, and close then."
        ),
        (
            .all, "testEchoesTheRestAfterTheEnd",
            "What is unread or unsent at a client's end still comes back before the end.",
            "A client that has finished sending still reads. Close it when nothing is unsent."
        ),
        (
            .all, "testSurvivesAReset",
            "A client that resets its connection is closed, and no other.",
            "ECONNRESET is the end of one connection: close it, and go on."
        ),
        (
            .all, "testSurvivesAResetWhileBytesAreUnsent",
            "A client that resets its connection while bytes are unsent is closed, and no other.",
            "A reset is an event also where you wait for room: the write then fails. Close the client."
        ),
        (
            .all, "testSurvivesAWriteToAGoneClient", "A reply to a client that is gone is no harm.",
            "Without SIGPIPE a write to a gone client gives EPIPE: close that client."
        ),
        (
            .all, "testGivesNobodyAnothersBytes",
            "Nothing that was kept for a client is left for the next one with its descriptor.",
            "What you keep under a descriptor's number must go when the number goes."
        ),
        (
            .many, "testClientsThatLeaveTogether",
            "Clients that leave in one moment take nobody with them.",
            "Serve everybody whom the wait has named, also after one of them has gone."
        ),
        (
            .all, "testLeavesNoDescriptor", "After 300 clients no descriptor is left open.",
            "Close the connection on every way out, also after an error."
        ),
    ]

    private static let crowd: [Row] = [
        (
            .many, "testServesManyClients",
            "However many clients there are, each is served: no table has a fixed size.",
            "Nothing may depend on how high a descriptor is, or on how many there are."
        ),
        (
            .oneThread, "testNobodyStarves",
            "Clients that never pause keep neither each other nor a newcomer waiting.",
            "Read little of one client at a time, serve all who are ready, then look again."
        ),
        (
            .readiness, "testSilentClientsCostNothing",
            "What a client's line costs does not depend on how many others are silent.",
            "Look only at those of whom the wait has said that they are ready."
        ),
        (
            .many, "testGoesOnWhenDescriptorsRunOut",
            "With no descriptor left the rest waits in the backlog, and is served when others leave.",
            "After EMFILE leave the listener alone until a client has left."
        ),
    ]

    private static let faults: [Row] = [
        (
            .all, "testGoesOnAfterAnInterruption", "A call that a signal interrupts is made again.",
            "Retry the call: EINTR is nobody's fault."
        ),
        (
            .readiness, "testGoesOnAfterAFalseAlarm",
            "A read or an accept that finds nothing after all affects nobody.",
            "Readiness is a hint. EAGAIN means: nothing here now, so wait again."
        ),
        (
            .all, "testClosesAClientWhoseConnectionFails",
            "A client whose read or write fails for good is closed, and no other.",
            "Only EINTR and EAGAIN are no end. After any other error close that client."
        ),
        (
            .all, "testGoesOnAfterAnAbortedConnection",
            "A client that is lost before it is accepted does not affect the others.",
            "ECONNABORTED, EPROTO and others concern one client: take the next."
        ),
        (
            .all, "testGoesOnWithoutRoom",
            "When there is no room for another client, the server goes on, and takes it later.",
            "ENFILE, ENOBUFS, ENOMEM are like EMFILE: pause, and try again."
        ),
        (
            .all, "testEndsWhenItsListenerIsBroken",
            "When its listener is broken, the server says why and ends with status 1.",
            "An error of accept that concerns neither one client nor the room is the listener's: "
                + "throw it."
        ),
        (
            .all, "testIgnoresUrgentBytes",
            "An urgent byte neither ends a client nor wakes forever.",
            "Do not ask for urgent data: no POLLPRI, no EPOLLPRI, no third set."
        ),
        (
            .all, "testSetsNoTimeLimit", "A client may be silent for as long as it likes.",
            "Set no SO_RCVTIMEO, SO_SNDTIMEO or SO_LINGER, and start no timer."
        ),
        (
            .all, "testUsesTheCallsOfTheModel", "The calls that it makes are those of its model.",
            "The contract names the call that waits; accept, read and write do the rest."
        ),
    ]
}
