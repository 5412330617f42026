// SPDX-License-Identifier: MIT

import Foundation
package import Harness
package import Registry

/// Compiles other texts of one exercise's Server.swift, each into an executable of its own, against
/// what the workspace has built for that exercise already.
///
/// The package manager builds one text at a time. This runs the compiler alone, so several may be
/// compiled side by side.
package struct Recompilation {
    private let exercise: Exercise
    private let compiler: String
    private let arguments: [String]

    /// Finds what an exercise is linked with. It must have been built in the workspace.
    /// - Throws: `MachineFailure` when it has not.
    package init(_ exercise: Exercise, in workspace: Workspace) throws(MachineFailure) {
        self.exercise = exercise
        compiler = workspace.tree.swift + "c"
        let build = workspace.root + "/.build/debug"
        let module = exercise.id.map { $0 == "-" ? "_" : String($0) }.joined()
        guard let list = readFile("\(build)/\(exercise.id).product/Objects.LinkFileList") else {
            throw MachineFailure("\(exercise.id) has not been built in \(workspace.root).")
        }
        let objects = list.split(separator: "\n").map(String.init)
        let folder = workspace.folder(of: exercise)
        let given = directory(folder).filter { $0.hasSuffix(".swift") }
            .filter { !exercise.learnerFiles.contains($0) }.map { "\(folder)/\($0)" }
        arguments =
            [
                "-Onone", "-whole-module-optimization", "-swift-version", "6",
                "-enable-upcoming-feature", "ExistentialAny",
                "-enable-upcoming-feature", "InternalImportsByDefault",
                "-module-name", module, "-I", "\(build)/Modules",
                "-module-cache-path", "\(build)/ModuleCache", "-Xcc",
                "-fmodule-map-file=\(workspace.root)/Exercises/CLinux/include/module.modulemap",
            ] + given + objects.filter { !$0.contains("/\(module).build/") }
    }

    /// Starts the compiler. When it ends with status 0, the executable lies in the directory under
    /// the exercise's id.
    /// - Parameter directory: It holds nothing else, and the compiler's temporary files go there
    ///   too.
    /// - Throws: `MachineFailure` when the directory cannot be written.
    package func start(
        _ server: String, into directory: String
    ) throws(MachineFailure) -> ChildProcess {
        let source = directory + "/Server.swift"
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
            try server.write(toFile: source, atomically: false, encoding: .utf8)
            return try ChildProcess(
                compiler, arguments + [source, "-o", "\(directory)/\(exercise.id)"],
                environment: ["TMPDIR": directory])
        } catch {
            throw MachineFailure("\(source) cannot be compiled: \(error)")
        }
    }
}
