// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Pipeline
import Registry

/// In a copy of the tree with every exercise solved: the time of `grader check` for each exercise, after
/// an edit and again without one, and of all the suites.
func measureVerdicts() throws {
    let tree = try CourseTree()
    let copy = NSTemporaryDirectory() + "measures-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    let pack = "tar c --exclude=.build --exclude=.git . | tar x -C \(copy)"
    try shell("mkdir \(copy) && \(pack)", in: tree.root)
    for exercise in Course.exercises {
        let path = "\(exercise.path)/Server.swift"
        try shell("cp Solutions/\(path) Exercises/\(path)", in: copy)
    }
    say("  building a copy …")
    try shell("swift build --build-tests", in: copy)
    let grader = ".build/debug/grader"
    try shell("\(grader) check", in: copy)
    // Nobody edits within a second of the last build; the package manager would miss it: see Build.
    let files = "Exercises/*/*/Server.swift"
    try shell("sleep 2; for f in \(files); do echo 'let edited = 1' >> $f; done", in: copy)
    for exercise in Course.exercises {
        let edited = try shell("\(grader) check \(exercise.id)", in: copy)
        let again = try shell("\(grader) check \(exercise.id)", in: copy)
        let name = exercise.id.padding(toLength: 24, withPad: " ", startingAt: 0)
        say("  \(name)\(seconds(edited)) after an edit, \(seconds(again)) again")
    }
    try shell("\(grader) grade Solutions", in: copy)
    let whole = try shell("\(grader) grade Solutions", in: copy)
    say("  all \(Course.exercises.count) exercises, graded again: \(seconds(whole))\n")
}

private func seconds(_ time: Double) -> String { String(format: "%5.2f s", time) }

/// Runs a script and gives the seconds that it took.
@discardableResult
private func shell(_ script: String, in directory: String) throws -> Double {
    let start = Deadline.nanoseconds()
    let process = try ChildProcess("/bin/sh", ["-c", script], directory: directory)
    guard process.wait(until: Deadline(seconds: 900)) == .exited(0) else {
        throw MachineFailure(
            "`\(script)` failed.",
            help: String(decoding: process.standardError.suffix(2000), as: UTF8.self))
    }
    return Double(Deadline.nanoseconds() - start) / 1e9
}
