// SPDX-License-Identifier: MIT

import Foundation
import Harness
public import Registry

/// The directory tree of the course: the package that the grader belongs to.
public struct CourseTree: Sendable {
    /// Its root, the folder of Package.swift.
    public let root: String
    /// The path of the `swift` command.
    public let swift: String

    /// Finds the tree from the current directory upwards, and the toolchain in `PATH`.
    /// - Throws: `UsageError` outside of the course, `MachineFailure` without a toolchain.
    public init() throws {
        root = try Self.findRoot(from: FileManager.default.currentDirectoryPath)
        guard let swift = Self.findProgram("swift") else {
            throw MachineFailure(
                "There is no `swift` command in PATH.",
                help: "Install the Swift toolchain (swift.org/install) and try again.")
        }
        self.swift = swift
    }

    /// Where the executables of the learner's own build lie.
    public var buildDirectory: String { "\(root)/.build/debug" }

    /// The test bundle with every suite.
    public var suites: String { "\(buildDirectory)/LinuxNetworkIOPackageTests.xctest" }

    /// The folder of an exercise as it is handed out.
    public func folder(of exercise: Exercise) -> String { "\(root)/Exercises/\(exercise.path)" }

    /// Builds a product, or a target, of the course's own package or of another.
    /// - Returns: The compiler's output when it fails, nil when it succeeds.
    /// - Throws: `MachineFailure` when the compiler cannot be run, or does not come to an end.
    public func build(
        product: String, in package: String? = nil, isTarget: Bool = false
    ) throws -> String? {
        try requireSpace()
        let what = [isTarget ? "--target" : "--product", product]
        let process: ChildProcess
        do {
            process = try ChildProcess(swift, ["build", "--package-path", package ?? root] + what)
        } catch {
            throw MachineFailure(error.description)
        }
        defer { process.kill() }
        guard let status = process.wait(until: Deadline(seconds: 600)) else {
            throw MachineFailure("`swift build` of \(product) did not end within ten minutes.")
        }
        let bytes = process.standardOutput + process.standardError
        let output = String(decoding: bytes, as: UTF8.self)
        if output.contains("No space left on device") {
            throw MachineFailure("The disk is full.", help: "Make room, and grade again.")
        }
        return status == .exited(0) ? nil : output
    }

    /// Builds the bundle with the suites. It does not contain the exercises, so a learner's compile
    /// error cannot break it.
    /// - Throws: `MachineFailure` when it cannot be built.
    public func buildSuites() throws {
        if suitesAreFresh { return }
        guard let output = try build(product: "LinuxNetworkIOPackageTests") else { return }
        let errors = output.split(separator: "\n").filter { $0.contains("error:") }.prefix(3)
        throw MachineFailure(
            "The suites cannot be built: \(errors.joined(separator: " / "))",
            help: "`swift build --build-tests` shows the whole output.")
    }

    /// Whether no source of the suites has changed since they were linked: then there is no need to
    /// ask the package manager, which takes a third of a second to say so. The time of the inode
    /// counts, not that of the content, which unpacking an archive sets back.
    private var suitesAreFresh: Bool {
        guard let linked = inodeChanged(suites) else { return false }
        let folders = [
            "Tests/CLaunch", "Tests/Harness", "Tests/Registry", "Tests/Checks", "Tests/Public",
            "Tests/Hidden", "Exercises/CLinux",
        ]
        let sources = folders.flatMap { folder in
            let below = FileManager.default.enumerator(atPath: "\(root)/\(folder)")
            return (below?.compactMap { $0 as? String } ?? []).map { "\(folder)/\($0)" }
        }
        return (["Package.swift"] + sources)
            .allSatisfy { (inodeChanged("\(root)/\($0)") ?? .infinity) < linked }
    }

    private func inodeChanged(_ path: String) -> Double? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Double(status.st_ctim.tv_sec) + Double(status.st_ctim.tv_nsec) / 1e9
    }

    private func requireSpace() throws {
        let values = try? FileManager.default.attributesOfFileSystem(forPath: root)
        guard let free = values?[.systemFreeSize] as? NSNumber else { return }
        guard free.int64Value > 100 << 20 else {
            throw MachineFailure(
                "The disk is nearly full: \(free.int64Value >> 20) MiB are free below \(root).",
                help: "Make room for 100 MiB, and grade again.")
        }
    }

    private static func findRoot(from directory: String) throws -> String {
        var url = URL(fileURLWithPath: directory)
        while true {
            let files = ["Package.swift", "chapters", "Exercises/Support"]
            let exist = { FileManager.default.fileExists(atPath: url.path + "/" + $0) }
            if files.allSatisfy(exist) { return url.path }
            if url.path == "/" {
                throw UsageError(
                    "\(directory) is not inside the workbook.",
                    help: "Run the grader in the folder that you cloned: cd there first.")
            }
            url.deleteLastPathComponent()
        }
    }

    private static func findProgram(_ name: String) -> String? {
        let path = environmentVariable("PATH") ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
