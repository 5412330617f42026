// SPDX-License-Identifier: MIT

import Glibc

/// Whose servers are judged, as `WORKBOOK_SUBJECT` says: `exercises` (the default), `solutions`, or
/// a directory of executables that are named by exercise id.
public enum Subject: Equatable, Sendable {
    /// The learner's own servers, as built beside the tests.
    case exercises
    /// The reference servers, as built beside the tests.
    case solutions
    /// Executables in a directory of their own.
    case directory(String)

    /// The subject that the environment asks for.
    public static var current: Subject {
        switch environmentVariable("WORKBOOK_SUBJECT") {
        case nil, "", "exercises": .exercises
        case "solutions": .solutions
        case .some(let path): .directory(path)
        }
    }

    /// The executable of an exercise.
    /// - Throws: `CheckFailure` of kind `machine` when it has not been built.
    public func executable(of exercise: String) throws(CheckFailure) -> String {
        let path =
            switch self {
            case .exercises: "\(Self.buildDirectory)/\(exercise)"
            case .solutions: "\(Self.buildDirectory)/\(exercise)-solution"
            case .directory(let path): "\(path)/\(exercise)"
            }
        guard access(path, X_OK) == 0 else {
            throw .machine("There is no executable \(path). Build it with `swift build` first.")
        }
        return path
    }

    /// Where the running test bundle lies: SwiftPM puts every executable of the package there.
    private static let buildDirectory: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(
            decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
    }()
}
