// SPDX-License-Identifier: MIT

public import Foundation
import Harness
public import Registry

/// The first stage: takes the learner's files out of a submission, and nothing else.
public struct Intake {
    /// What a submission holds of one exercise.
    public enum Parcel: Equatable, Sendable {
        /// The learner's files by name, and the names of others that were left where they are.
        case files([String: Data], ignored: [String])
        /// Nothing.
        case missing
        /// Something that cannot be taken, with the reason as a sentence.
        case refused(String)
    }

    /// No file of a learner's is longer than this.
    static let largestFile = 1 << 20

    private let root: String

    /// Opens a submission: a directory with `NN-chapter/exercise` folders, or one with `Exercises`.
    /// - Throws: `UsageError` when there is no such directory.
    public init(submission: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: submission, isDirectory: &isDirectory) else {
            throw UsageError(
                "There is no submission at \(printable(submission)).",
                help: "Give the directory that holds the NN-chapter/exercise folders.")
        }
        guard isDirectory.boolValue else {
            throw UsageError(
                "The submission \(printable(submission)) is a file.",
                help: "Unpack it, and give the directory that it was unpacked to.")
        }
        let nested = submission + "/Exercises"
        root = Self.kind(nested) == S_IFDIR ? nested : submission
    }

    /// Takes an exercise out of the submission.
    public func take(_ exercise: Exercise) -> Parcel {
        let chapter = "\(root)/\(exercise.chapter)"
        let folder = "\(root)/\(exercise.path)"
        // Each step is looked at by itself: a link anywhere could lead out of the submission.
        for (path, name) in [(chapter, exercise.chapter), (folder, exercise.path)] {
            switch Self.kind(path) {
            case S_IFDIR: continue
            case nil: return .missing
            case S_IFLNK: return .refused("\(name) is a symbolic link; submit the folder itself.")
            default: return .refused("\(name) is not a folder.")
            }
        }
        return Self.take(exercise, from: folder)
    }

    /// Takes an exercise out of the folder that holds its files.
    public static func take(_ exercise: Exercise, from folder: String) -> Parcel {
        var files: [String: Data] = [:]
        for name in exercise.learnerFiles {
            switch read("\(folder)/\(name)", name) {
            case .success(let data): files[name] = data
            case .failure(.absent): return .missing
            case .failure(.refused(let reason)): return .refused(reason)
            }
        }
        let others = directory(folder).filter { !exercise.learnerFiles.contains($0) }
        return .files(files, ignored: others.map { printable($0) }.sorted())
    }

    private enum Problem: Error {
        case absent
        case refused(String)
    }

    private static func read(_ path: String, _ name: String) -> Result<Data, Problem> {
        switch kind(path) {
        case S_IFREG: break
        case nil: return .failure(.absent)
        case S_IFLNK:
            return .failure(.refused("\(name) is a symbolic link; submit the file itself."))
        default: return .failure(.refused("\(name) is not a file."))
        }
        // O_NONBLOCK: should the file have become a FIFO since, open does not wait for its writer.
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor != -1 else {
            return .failure(.refused("\(name) cannot be read: \(errorText(errno))."))
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard let data = try? handle.read(upToCount: largestFile + 1) ?? Data() else {
            return .failure(.refused("\(name) cannot be read."))
        }
        guard data.count <= largestFile else {
            return .failure(.refused("\(name) is larger than 1 MiB."))
        }
        return .success(data)
    }

    /// What lies at a path, without following a link: `S_IFREG`, `S_IFDIR`, …; nil for nothing.
    private static func kind(_ path: String) -> mode_t? {
        var information = stat()
        guard lstat(path, &information) == 0 else { return nil }
        return information.st_mode & S_IFMT
    }
}
