import Harness
import Pipeline
import Registry
import XCTest

/// Which files share a process of the compiler depends on the order in which the file system lists
/// them, so each pair of given files must compile together, whichever comes first.
final class GivenCodeTests: XCTestCase {
    func testEachPairOfFilesCompilesTogether() throws {
        let tree = try CourseTree()
        let cache = try TemporaryDirectory()
        let modules = ["Support", "Listening", "Nonblocking"]
        for folder in modules + Course.exercises.map(\.path) {
            let files = directory(Tree.path("Exercises/\(folder)")).filter {
                $0.hasSuffix(".swift")
            }.sorted()
                .map { Tree.path("Exercises/\(folder)/\($0)") }
            for first in files {
                for second in files where second != first {
                    let others = files.filter { $0 != first && $0 != second }
                    try typecheck([first, second], beside: others, cache.path, tree)
                }
            }
        }
    }

    private func typecheck(
        _ files: [String], beside others: [String], _ cache: String, _ tree: CourseTree
    ) throws {
        let compiler = try ChildProcess(
            tree.swift + "c",
            ["-frontend", "-typecheck"] + files.flatMap { ["-primary-file", $0] } + others
                + ["-module-name", "Given", "-swift-version", "6"]
                + ["-I", Tree.path("Exercises/CLinux/include")]
                + ["-I", "\(Tree.buildDirectory)/Modules"]
                + ["-module-cache-path", cache])
        defer { compiler.kill() }
        let status = compiler.wait(until: Deadline(seconds: 60))
        let output = String(decoding: compiler.standardError, as: UTF8.self)
        XCTAssertEqual(status, .exited(0), "\(files): \(output)")
    }
}
