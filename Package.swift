// swift-tools-version: 6.3

import PackageDescription

// The table of the course: a chapter's folder, and the exercises in it, in the order of the course.
// Everything below is made from it. Adding an exercise means adding its id here and its row in
// Tests/Registry; `swift test --filter SelfTests` then names each file that is still missing.
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
            name: "\(kind)-\(chapter.folder)",
            dependencies: ["Checks", "Harness", "Scenes"]
                + (kind == "Hidden" ? ["HiddenScenes"] : []),
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

        // What is judged, and how: arrows run from here upwards, never back.
        .target(name: "Registry", path: "Tests/Registry", swiftSettings: finished),
        .target(name: "CLaunch", path: "Tests/CLaunch"),
        .target(
            name: "Harness", dependencies: ["CLaunch", "CLinux"], path: "Tests/Harness",
            swiftSettings: finished),
        .target(
            name: "Scenes", dependencies: ["CLinux", "Harness", "Registry"], path: "Tests/Scenes",
            swiftSettings: finished),
        .target(
            name: "Checks", dependencies: ["CLinux", "Harness", "Registry"], path: "Tests/Checks",
            swiftSettings: finished),
        .target(
            name: "HiddenScenes",
            dependencies: ["Checks", "CLinux", "Harness", "Registry", "Scenes"],
            path: "Tests/Hidden/Scenes", swiftSettings: finished),

        // The grader: all of it but the one call in CommandLine is libraries, so that it can be tested.
        .target(
            name: "Reports", dependencies: ["Harness", "Registry"], path: "Grader/Reports",
            swiftSettings: finished),
        .target(
            name: "Pipeline", dependencies: ["Harness", "Registry", "Reports"],
            path: "Grader/Pipeline", swiftSettings: finished),
        .target(
            name: "Figures", dependencies: ["Harness", "Reports"], path: "Grader/Figures",
            swiftSettings: finished),
        .target(
            name: "Verification", dependencies: ["Harness", "Pipeline", "Registry", "Reports"],
            path: "Grader/Verification", swiftSettings: finished),
        .target(
            name: "Verbs",
            dependencies: [
                "Figures", "Harness", "Pipeline", "Registry", "Reports", "Scenes", "Verification",
            ],
            path: "Grader/Verbs", swiftSettings: finished),
        .executableTarget(
            name: "grader", dependencies: ["Verbs"], path: "Grader/CommandLine",
            swiftSettings: finished),

        // The course checks itself, and measures itself.
        .testTarget(
            name: "SelfTests",
            dependencies: [
                "Checks", "CLinux", "Harness", "Pipeline", "Registry", "Reports", "Scenes", "Verbs",
                "Verification",
            ],
            path: "Tests/SelfTests", swiftSettings: finished),
        .executableTarget(
            name: "measures",
            dependencies: [
                "CLinux", "Harness", "Pipeline", "Registry", "Scenes", "Verification",
            ],
            path: "Tests/Measures", swiftSettings: finished),
    ] + chapters.flatMap(targets(of:)),
    swiftLanguageModes: [.v6]
)
