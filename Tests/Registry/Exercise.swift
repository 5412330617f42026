// SPDX-License-Identifier: MIT

/// One exercise: a row of the registry.
public struct Exercise: Sendable {
    /// Its id, which names its folders, its target, its executable and, in capitals, its suites.
    public let id: String
    /// What the learner builds, in a few words.
    public let title: String
    /// Its chapter, which is the folder that its files lie in: `05-epoll`.
    public let chapter: String
    /// The text that leads to it, in `chapters`, without its ending: `05-epoll-edge`. A chapter may
    /// have several texts.
    public let text: String
    /// The heading in the text under which its contract stands.
    public let section: String
    /// How long one check may take, in seconds, before `WORKBOOK_TIME_SCALE`.
    public let secondsPerCheck: Double
    /// What `grader hint` says, from the gentle to the plain.
    public let hints: [String]
    /// What `grader trace` plays with its server.
    public let scene: Scene
    /// Its model.
    public let model: Model
    /// What its model looks like in system calls.
    public let calls: CallRules
    /// What is judged, in this order.
    public let checks: [Check]

    /// The files that a submission brings; everything else of the exercise is given.
    public var learnerFiles: [String] { ["Server.swift"] }

    /// The modules that it may import beside CLinux and Support: nothing that its learner is to write.
    public var given: [String] {
        if id == "blocking-tcp" { return [] }
        return chapter < "03" ? ["Listening"] : ["Listening", "Nonblocking"]
    }

    /// The sum of its checks' points.
    public var points: Int { checks.reduce(0) { $0 + $1.points } }

    /// The check with this method, those that it rests on, and the first of all, which tells a stub
    /// from a server.
    public func checks(upTo method: String) -> [Check] {
        var wanted: Set<String> = [checks[0].method]
        var next: String? = method
        while let current = next {
            wanted.insert(current)
            next = checks.first { $0.method == current }?.restsOn
        }
        return checks.filter { wanted.contains($0.method) }
    }

    /// Where its files lie below Exercises, Solutions or a submission.
    public var path: String { "\(chapter)/\(id)" }

    /// Where a learner reads about it: `chapters/05-epoll-edge.md, “Exercise: epoll-edge”`.
    public var reading: String { "chapters/\(text).md, “\(section)”" }

    /// The id in capitals, as the suites are called: `BlockingUdp`.
    public var suiteName: String {
        id.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// A check's id in reports: `blocking-udp.testEchoesADatagram`.
    public func checkID(_ check: Check) -> String { "\(id).\(check.method)" }

    /// How XCTest names a check: its module, class and method.
    public func specifier(of check: Check) -> String {
        let kind = check.visibility == .public ? "Public" : "Hidden"
        let module = "\(kind)_\(chapter)".map { $0 == "-" ? "_" : String($0) }.joined()
        let suite = suiteName + (check.visibility == .public ? "Tests" : "HiddenTests")
        return "\(module).\(suite)/\(check.method)"
    }
}

/// What is done to a server while its figure is drawn.
public enum Scene: Sendable {
    /// One datagram comes late, and a second one follows.
    case datagrams
    /// A client comes late, sends a line late, and leaves.
    case clients
    /// A client comes to a control room, raises its counter, and a signal and a file follow.
    case events
}

/// One thing that is judged about an exercise: a test method and what it is worth.
public struct Check: Sendable {
    /// Who has the test that judges it.
    public enum Visibility: String, Codable, Sendable {
        /// The learner has it.
        case `public`
        /// Only the instructor has it.
        case hidden
    }

    /// The test method: `testEchoesADatagram`.
    public let method: String
    /// What a right server does, as a sentence.
    public let title: String
    /// What it is worth.
    public let points: Int
    /// Who has the test.
    public let visibility: Visibility
    /// The check without which this one says nothing, or nil.
    public let restsOn: String?
    /// The most common cause of its failure, as a sentence.
    public let hint: String

    static func `public`(
        _ method: String, _ title: String, points: Int = 1, restsOn: String? = nil, hint: String
    ) -> Check {
        Check(
            method: method, title: title, points: points, visibility: .public, restsOn: restsOn,
            hint: hint)
    }

    static func hidden(
        _ method: String, _ title: String, points: Int = 1, restsOn: String? = nil, hint: String
    ) -> Check {
        Check(
            method: method, title: title, points: points, visibility: .hidden, restsOn: restsOn,
            hint: hint)
    }
}

/// One chapter: its folder and its exercises.
public struct Chapter: Sendable {
    /// The name of its folders, and of its first text: `01-blocking`.
    public let id: String
    /// Its title.
    public let title: String
    /// Its exercises, in the order in which they are worked.
    public let exercises: [Exercise]

    /// The names of its texts, in the order in which they are read.
    public var texts: [String] {
        exercises.map(\.text).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
