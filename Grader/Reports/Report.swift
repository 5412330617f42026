// SPDX-License-Identifier: MIT

public import Foundation
import Harness
public import Registry

/// The last stage's one record of a run. Every format is rendered from it; as JSON it is schema 1.
public struct Report: Codable, Equatable, Sendable {
    /// The version of the form that this grader writes.
    public static let schemaVersion = 1
    /// The version of this form.
    public var schema = Report.schemaVersion
    /// The submission's directory, as it was given.
    public let submission: String
    /// The points that were reached.
    public var score: Int { exercises.reduce(0) { $0 + $1.score } }
    /// The points that can be reached.
    public var maxScore: Int { exercises.reduce(0) { $0 + $1.maxScore } }
    /// The exercises, in the order of the course.
    public let exercises: [ExerciseReport]
    /// On what machine it was judged.
    public let environment: EnvironmentReport

    /// The report of a submission.
    public init(submission: String, exercises: [ExerciseReport], environment: EnvironmentReport) {
        self.submission = submission
        self.exercises = exercises
        self.environment = environment
    }

    /// The share of the points that this machine could verify, in percent; 0 without any.
    public var percent: Double {
        let all = exercises.flatMap(\.checks).filter { $0.status != .notVerified }
        let possible = all.reduce(0) { $0 + $1.maxScore }
        return possible == 0 ? 0 : Double(score) / Double(possible) * 100
    }

    /// Whether the grader itself failed somewhere.
    public var hasGraderError: Bool {
        exercises.flatMap(\.checks).contains { $0.status == .graderError }
    }

    enum CodingKeys: String, CodingKey {
        case schema, submission, score, maxScore = "max_score", exercises, environment
    }

    /// Writes the form of schema 1, in which the sums stand beside the parts.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schema, forKey: .schema)
        try container.encode(submission, forKey: .submission)
        try container.encode(score, forKey: .score)
        try container.encode(maxScore, forKey: .maxScore)
        try container.encode(exercises, forKey: .exercises)
        try container.encode(environment, forKey: .environment)
    }

    /// Reads schema 1 again; the sums are computed from the parts.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        schema = try container.decode(Int.self, forKey: .schema)
        submission = try container.decode(String.self, forKey: .submission)
        exercises = try container.decode([ExerciseReport].self, forKey: .exercises)
        environment = try container.decode(EnvironmentReport.self, forKey: .environment)
    }

    /// The report as JSON, with sorted keys, so that two reports can be compared line by line.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + [0x0a]
    }
}

/// How one exercise came out.
public struct ExerciseReport: Codable, Equatable, Sendable {
    /// What can be said of an exercise as a whole.
    public enum Status: String, Codable, Sendable {
        /// No check failed.
        case passed
        /// Some check did not pass.
        case failed
        /// It is still the stub that was handed out.
        case notStarted = "not-started"
        /// It does not compile, or its files cannot be taken.
        case buildFailed = "build-failed"
        /// The submission does not have it.
        case missing
    }

    /// The exercise.
    public let id: String
    /// Its chapter.
    public let chapter: String
    /// How it came out.
    public let status: Status
    /// The points that were reached.
    public let score: Int
    /// The points that can be reached.
    public let maxScore: Int
    /// Why nothing was judged: the compiler's first errors, or a sentence. Absent otherwise.
    public let message: String?
    /// Every check of the registry, whether it was run or not.
    public let checks: [CheckReport]

    enum CodingKeys: String, CodingKey {
        case id, chapter, status, score, maxScore = "max_score", message, checks
    }

    package init(
        _ exercise: Exercise, _ status: Status, message: String? = nil, checks: [CheckReport]
    ) {
        id = exercise.id
        chapter = exercise.chapter
        self.status = status
        score = checks.reduce(0) { $0 + $1.score }
        maxScore = exercise.points
        self.message = message
        self.checks = checks
    }

    /// An exercise of which no check could be run.
    package init(_ exercise: Exercise, unjudged status: Status, message: String) {
        let checks = exercise.checks.map { check in
            CheckReport(exercise, check, .notRun, message: "")
        }
        self.init(exercise, status, message: message, checks: checks)
    }
}

/// How one check came out.
public struct CheckReport: Codable, Equatable, Sendable {
    /// What can be said of a check.
    public enum Status: String, Codable, Sendable {
        /// The server does what the check asks: there is a record that says so.
        case passed
        /// It does not.
        case failed
        /// The check did not end in time.
        case timedOut = "timed-out"
        /// The check's process ended without a record.
        case crashed
        /// Something that it rests on did not pass.
        case notRun = "not-run"
        /// This machine cannot observe it.
        case notVerified = "not-verified"
        /// The grader or the machine failed.
        case graderError = "grader-error"
    }

    /// `EXERCISE.testMethod`.
    public let id: String
    /// What a right server does.
    public let title: String
    /// How it came out.
    public let status: Status
    /// The points that were reached.
    public let score: Int
    /// The points that can be reached.
    public let maxScore: Int
    /// Who has the test.
    public let visibility: Check.Visibility
    /// The story of a failure, or a reason.
    public let message: String
    /// The most common cause of this failure.
    public let hint: String
    /// How long the check ran, in seconds.
    public let duration: Double
    /// What failures of one cause have in common; nil where nothing is known of the cause. It orders
    /// what a person reads, and is no part of the JSON.
    package var cause: String?

    enum CodingKeys: String, CodingKey {
        case id, title, status, score, maxScore = "max_score", visibility, message, hint, duration
    }

    package init(
        _ exercise: Exercise, _ check: Check, _ status: Status, message: String,
        duration: Double = 0, cause: String? = nil
    ) {
        id = exercise.checkID(check)
        title = check.title
        self.status = status
        score = status == .passed ? check.points : 0
        maxScore = check.points
        visibility = check.visibility
        self.message = message
        hint = check.hint
        self.duration = (duration * 1000).rounded() / 1000
        self.cause = cause
    }
}

/// On what machine a submission was judged: so that a difference between two places can be
/// explained.
public struct EnvironmentReport: Codable, Equatable, Sendable {
    /// The kernel's release, as `uname -r` gives it.
    public let kernel: String
    /// The processor's architecture, as `uname -m` gives it.
    public let architecture: String
    /// How many processors are online.
    public let processors: Int
    /// How many descriptors a process may open here (the hard limit).
    public let openFiles: Int
    /// The factor of `WORKBOOK_TIME_SCALE`.
    public let timeScale: Double

    enum CodingKeys: String, CodingKey {
        case kernel, architecture, processors, openFiles = "open_files", timeScale = "time_scale"
    }

    /// This machine.
    public static var current: EnvironmentReport {
        var name = utsname()
        uname(&name)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return EnvironmentReport(
            kernel: text(of: &name.release), architecture: text(of: &name.machine),
            processors: ProcessInfo.processInfo.activeProcessorCount,
            openFiles: Int(clamping: limit.rlim_max), timeScale: Deadline.timeScale)
    }

    private static func text(of field: inout some Any) -> String {
        withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
