// SPDX-License-Identifier: MIT

import Foundation
import Pipeline

/// Where a result goes: a file, or standard output. The file is opened before the work begins, so that
/// nothing is judged for a place that cannot be written.
struct OutputFile {
    private let handle: FileHandle
    /// Whether it is standard output.
    let isStandardOutput: Bool

    /// Opens the file; nil means standard output. What it holds stays until `write`.
    /// - Throws: `UsageError` when it cannot be opened for writing.
    init(_ path: String?) throws {
        isStandardOutput = path == nil
        guard let path else {
            handle = .standardOutput
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor != -1 else {
            throw UsageError(
                "\(path) cannot be written: \(String(cString: strerror(errno))).",
                help: "Give a file in a directory that exists and that you may write to.")
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Writes the result in place of what the file held.
    /// - Throws: `MachineFailure` when the disk does not take it.
    func write(_ data: Data) throws {
        do {
            // A pipe or a device has no length that could be cut.
            if !isStandardOutput { try? handle.truncate(atOffset: 0) }
            try handle.write(contentsOf: data)
        } catch {
            throw MachineFailure(
                "The result cannot be written.", help: error.localizedDescription)
        }
    }
}
