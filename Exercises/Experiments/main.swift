// The chapters' measurements. `experiment` alone lists them; `experiment NAME` runs one.
//
// Each is a file of its own, made to be read: what it does is what its chapter says of it.

import Glibc
import Support

let experiments: [(name: String, about: String, run: () throws(Errno) -> Void)] = [
    ("eagain", "one second without a datagram, polled and blocked", eagain),
    ("full-socket", "what write takes when nobody reads", fullSocket),
    ("nonblock-flag", "who shares O_NONBLOCK, and who does not", nonblockFlag),
    ("polling-interval", "what it costs to look rarely", pollingInterval),
    ("select-answers", "what select's three sets say of a socket", showSelectAnswers),
    ("select-cost", "one select, by highest descriptor and by number", measureSelectCost),
    ("select-race", "a signal between the look at its flag and the wait", showTheGap),
    ("idle-cost", "poll, select and epoll with up to 10,000 idle descriptors", idleCost),
    ("epoll-ctl-cost", "what a longer interest list costs", epollCtlCost),
    ("epoll-copies", "what epoll_wait writes, and where", epollCopies),
    (
        "edge", "what level-triggered and edge-triggered epoll tell of one socket",
        replayLevelAndEdge
    ),
    ("watchable", "which descriptors epoll takes, and what poll says of them", showWhatIsWatchable),
    ("post", "puts a message into a queue: post /QUEUE PRIORITY TEXT", postMessage),
]

guard let name = CommandLine.arguments.dropFirst().first,
    let experiment = experiments.first(where: { $0.name == name })
else {
    for experiment in experiments { print("experiment \(experiment.name): \(experiment.about)") }
    exit(CommandLine.arguments.count == 1 ? 0 : 64)
}
do throws(Errno) {
    try experiment.run()
} catch {
    note("experiment \(name): \(error)")
    exit(1)
}
