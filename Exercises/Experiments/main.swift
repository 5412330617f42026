// The chapters' measurements. `experiment` alone lists them; `experiment NAME` runs one.
//
// Each is a file of its own, made to be read: what it does is what its chapter says of it.

import Glibc
import Support

let experiments: [(name: String, about: String, run: () throws(Errno) -> Void)] = [
    ("watchable", "which descriptors epoll takes, and what poll says of them", showWhatIsWatchable)
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
