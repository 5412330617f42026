// swift-tools-version: 6.3

import PackageDescription

// The table of the course: a chapter's folder, and the exercises in it, in the order of the course.
// Everything below is made from it. Adding an exercise means adding its id here and its row in
// Grader/Course; `swift test --filter CourseTests` then names each file that is still missing.
let chapters: [(folder: String, exercises: [String])] = [
    ("01-blocking", ["blocking-udp", "blocking-tcp", "thread-per-connection"]),
    ("02-nonblocking", ["nonblocking-udp", "nonblocking-tcp"]),
    ("03-select", ["select-echo", "pselect-drain"]),
    ("04-poll", ["poll-echo"]),
    ("05-epoll", ["epoll-echo", "epoll-edge", "epoll-sources"]),
]

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// What the course ships must compile without a warning. What a learner writes may have some.
let finished: [SwiftSetting] =
    strict + [.enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error)]

// What an exercise may import beside CLinux and Support: nothing that its learner is to write.
// blocking-tcp writes its listener itself, nonblocking-tcp its Connection.
func given(_ id: String, _ chapter: String) -> [Target.Dependency] {
    if id == "blocking-tcp" { return [] }
    return chapter < "03" ? ["Listening"] : ["Listening", "Nonblocking"]
}

/// A chapter's exercises, their solutions, and the two test targets that judge either.
///
/// The test targets do not depend on the servers: the harness starts the built executables, so a
/// compile error in one exercise stops no other exercise from being judged.
func targets(of chapter: (folder: String, exercises: [String])) -> [Target] {
    let servers = chapter.exercises.flatMap { id in
        [(id, "Exercises", strict), ("\(id)-solution", "Solutions", finished)].map { server in
            Target.executableTarget(
                name: server.0,
                dependencies: ["CLinux", "Support"] + given(id, chapter.folder),
                path: "\(server.1)/\(chapter.folder)/\(id)", swiftSettings: server.2)
        }
    }
    let suites = ["Public", "Hidden"].map { kind in
        Target.testTarget(
            name: "\(kind)-\(chapter.folder)", dependencies: ["Harness", "Checks"],
            path: "Tests/\(kind)/\(chapter.folder)", swiftSettings: finished)
    }
    return servers + suites
}

let package = Package(
    name: "LinuxNetworkIO",
    targets: [
        // Given to the learner.
        .target(name: "CLinux", path: "Exercises/CLinux"),
        .target(name: "Support", path: "Exercises/Support", swiftSettings: finished),
        .target(
            name: "Listening", dependencies: ["Support"], path: "Exercises/Listening",
            swiftSettings: finished),
        .target(
            name: "Nonblocking", dependencies: ["CLinux", "Support"],
            path: "Exercises/Nonblocking", swiftSettings: finished),
        .executableTarget(
            name: "experiment", dependencies: ["CLinux", "Support", "Listening", "Nonblocking"],
            path: "Exercises/Experiments", swiftSettings: finished),

        // The tests: CLaunch starts a process, Harness observes it, Checks reports to XCTest.
        .target(name: "CLaunch", path: "Tests/Harness/CLaunch"),
        .target(
            name: "Harness", dependencies: ["CLaunch", "CLinux"], path: "Tests/Harness",
            exclude: ["CLaunch", "Checks"], swiftSettings: finished),
        .target(
            name: "Checks", dependencies: ["Course", "Harness"], path: "Tests/Harness/Checks",
            swiftSettings: finished),
        .testTarget(
            name: "CourseTests",
            dependencies: ["CLinux", "Course", "Harness", "Pipeline", "Verification"],
            path: "Tests/Course", swiftSettings: finished),

        .executableTarget(
            name: "measures",
            dependencies: ["CLinux", "Course", "Harness", "Pipeline", "Verification"],
            path: "Tests/Measures", swiftSettings: finished),

        // The grader: Course is the registry, Pipeline the stages, Grader itself the command line.
        .target(name: "Course", path: "Grader/Course", swiftSettings: finished),
        .target(
            name: "Pipeline", dependencies: ["Course", "Harness"], path: "Grader/Pipeline",
            swiftSettings: finished),
        .target(
            name: "Verification", dependencies: ["Course", "Harness", "Pipeline"],
            path: "Grader/Verification", swiftSettings: finished),
        .executableTarget(
            name: "grader", dependencies: ["Course", "Harness", "Pipeline", "Verification"],
            path: "Grader",
            exclude: ["Course", "Pipeline", "Verification"], swiftSettings: finished),
    ] + chapters.flatMap(targets(of:)),
    swiftLanguageModes: [.v6]
)
