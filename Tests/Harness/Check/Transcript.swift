// SPDX-License-Identifier: MIT

/// The numbered story of a check: what was done to the server, in order. A failure prints it.
public final class Transcript {
    private var steps: [String] = []

    /// A story with no step yet.
    public init() {}

    /// Adds a step, as a sentence without its full stop: `client 1 sends 6 bytes: "hello\n"`.
    public func add(_ step: String) { steps.append(step) }

    /// The steps, numbered, one to a line; of a long story the first and the last ten.
    public var text: String {
        let numbered = steps.enumerated().map { "\($0.offset + 1). \($0.element)" }
        guard numbered.count > 24 else { return numbered.joined(separator: "\n") }
        let left = numbered.count - 20
        return (numbered.prefix(10) + ["… \(left) more steps"] + numbered.suffix(10))
            .joined(separator: "\n")
    }
}
