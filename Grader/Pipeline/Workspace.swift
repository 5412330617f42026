// SPDX-License-Identifier: MIT

import Foundation
import Harness
import Registry

/// The second stage: a course tree of its own, in which the given files are the course's and only
/// the learner's files are the submission's. It is kept from run to run, so that little is built
/// again.
public struct Workspace {
    /// The root of its package.
    public let root: String
    let tree: CourseTree
    private let lock: FileHandle

    /// Makes the workspace below `.build`, or brings it up to date. One grader uses it at a time.
    /// - Throws: `MachineFailure` when it cannot be written.
    public init(_ tree: CourseTree) throws {
        self.tree = tree
        root = tree.root + "/.build/workspace"
        do {
            try FileManager.default.createDirectory(
                atPath: root, withIntermediateDirectories: true)
            lock = try Self.lock(root + "/lock")
            for module in ["CLinux", "Support", "Listening", "Nonblocking"] {
                try Self.copy("\(tree.root)/Exercises/\(module)", to: "\(root)/Exercises/\(module)")
            }
            try Self.write(Data(Self.manifest.utf8), to: root + "/Package.swift")
            // SwiftPM wants the folder of every target, also of those that it does not build.
            for exercise in Course.exercises {
                try Self.copy(
                    tree.folder(of: exercise), to: folder(of: exercise),
                    except: exercise.learnerFiles)
            }
        } catch {
            throw Self.failure(error)
        }
    }

    /// The folder of an exercise in here.
    func folder(of exercise: Exercise) -> String { "\(root)/Exercises/\(exercise.path)" }

    /// Where the build puts the executable of an exercise.
    func executable(of exercise: Exercise) -> String { "\(root)/.build/debug/\(exercise.id)" }

    /// Lays a submission's files over the given ones.
    /// - Throws: `MachineFailure` when they cannot be written.
    func lay(_ files: [String: Data], for exercise: Exercise) throws {
        let folder = folder(of: exercise)
        do {
            for (name, data) in files { try Self.write(data, to: "\(folder)/\(name)") }
            // What an earlier submission was built to must not be taken for this one's.
            try? FileManager.default.removeItem(atPath: executable(of: exercise))
        } catch {
            throw Self.failure(error)
        }
    }

    /// The manifest of the workspace: what is given and every exercise, without tests.
    private static var manifest: String {
        let products = Course.exercises.map { exercise in
            """
                .executableTarget(
                    name: "\(exercise.id)", dependencies: \(["CLinux", "Support"] + exercise.given),
                    path: "Exercises/\(exercise.path)", swiftSettings: settings),
            """
        }
        return """
            // swift-tools-version: 6.3
            import PackageDescription

            let settings: [SwiftSetting] = [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]

            let package = Package(
                name: "Submission",
                targets: [
                    .target(name: "CLinux", path: "Exercises/CLinux"),
                    .target(
                        name: "Support", path: "Exercises/Support", swiftSettings: settings),
                    .target(
                        name: "Listening", dependencies: ["Support"], path: "Exercises/Listening",
                        swiftSettings: settings),
                    .target(
                        name: "Nonblocking", dependencies: ["CLinux", "Support"],
                        path: "Exercises/Nonblocking", swiftSettings: settings),
            \(products.joined(separator: "\n"))
                ],
                swiftLanguageModes: [.v6]
            )

            """
    }

    /// Makes `target` hold the same files as `source`, and touches only what differs.
    private static func copy(
        _ source: String, to target: String, except names: [String] = []
    ) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        let wanted = try files.contentsOfDirectory(atPath: source).filter { !names.contains($0) }
        for name in try files.contentsOfDirectory(atPath: target)
        where !wanted.contains(name) && !names.contains(name) {
            try files.removeItem(atPath: "\(target)/\(name)")
        }
        for name in wanted {
            var isDirectory: ObjCBool = false
            _ = files.fileExists(atPath: "\(source)/\(name)", isDirectory: &isDirectory)
            if isDirectory.boolValue {
                try copy("\(source)/\(name)", to: "\(target)/\(name)")
            } else {
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(source)/\(name)"))
                try write(data, to: "\(target)/\(name)")
            }
        }
    }

    private static func write(_ data: Data, to path: String) throws {
        if FileManager.default.contents(atPath: path) == data { return }
        try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private static func lock(_ path: String) throws -> FileHandle {
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
        guard descriptor != -1 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        while flock(descriptor, LOCK_EX) == -1, errno == EINTR {}
        return handle
    }

    private static func failure(_ error: any Error) -> MachineFailure {
        MachineFailure(
            "The workspace cannot be written: \(error.localizedDescription)",
            help: "Look at the room and the permissions of the .build folder.")
    }
}
