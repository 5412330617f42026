// SPDX-License-Identifier: MIT

/// The grader was asked for something that it cannot do: exit status 2.
public struct UsageError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, as one sentence.
    public let description: String
    /// What to do next, as one sentence.
    public let help: String?

    /// A wrong request, and what to ask instead.
    public init(_ description: String, help: String? = nil) {
        self.description = description
        self.help = help
    }
}

/// The grader or the machine failed: exit status 3, and never the learner's failure.
public struct MachineFailure: Error, Equatable, CustomStringConvertible {
    /// What is wrong, as one sentence.
    public let description: String
    /// What to do next, as one sentence.
    public let help: String?

    /// A fault that no submission can cause.
    public init(_ description: String, help: String? = nil) {
        self.description = description
        self.help = help
    }
}
