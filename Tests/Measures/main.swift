// SPDX-License-Identifier: MIT
//
// What the course promises of itself in numbers: `swift run measures`. Speeds are ratios or seconds
// of this run on this machine; no test asserts any of them.

import Foundation

let measures: [(name: String, about: String, run: () throws -> Void)] = [
    ("tracer", "what the tracer costs calls that it does not look at", measureTracer),
    (
        "injection", "how often an injected fault shows the mistake that ignores it",
        measureInjection
    ),
    ("check", "from save to verdict, and a whole submission", measureVerdicts),
]
let wanted = CommandLine.arguments.dropFirst()
for measure in measures where wanted.isEmpty || wanted.contains(measure.name) {
    say("\(measure.name): \(measure.about)")
    try measure.run()
}

/// Prints a line at once, also into a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
