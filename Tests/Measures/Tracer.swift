// SPDX-License-Identifier: MIT

import CLinux
import Foundation
import Harness
import Scenes
import Pipeline
import Registry

/// Echo round trips with a server that is traced, but for calls that it does not make, and with the same
/// server untraced. Ten rounds, each first this one and then the other; the median of the ratios.
func measureTracer() throws {
    let tree = try CourseTree()
    _ = try tree.build(product: "blocking-tcp-solution")
    var ratios: [Double] = []
    for _ in 1...10 {
        let traced = try roundTrips(SyscallTrace(calls: [SYS_clock_nanosleep]))
        let untraced = try roundTrips(nil)
        ratios.append(traced / untraced)
    }
    ratios.sort()
    let text = { String(format: "%.2f", $0 as Double) }
    say(
        "  traced to untraced: median \(text((ratios[4] + ratios[5]) / 2)), from \(text(ratios[0])) "
            + "to \(text(ratios[9])); 10 rounds of 5,000 round trips each\n")
}

/// The seconds that 5,000 round trips of nine bytes take.
private func roundTrips(_ trace: SyscallTrace?) throws -> Double {
    let run = try CheckRun(exercise: "blocking-tcp", subject: .solutions, seed: 1, seconds: 60)
    defer { run.end() }
    let client = try run.connect(run.startServer(trace: trace), quietly: true)
    try run.exchangeALine(with: client)
    let start = Deadline.nanoseconds()
    for _ in 1...5000 { try run.exchangeALine(with: client) }
    return Double(Deadline.nanoseconds() - start) / 1e9
}
