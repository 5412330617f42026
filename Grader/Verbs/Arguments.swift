// SPDX-License-Identifier: MIT

import Pipeline

/// The words after a verb: the plain ones, and the options with their values, in order.
struct Arguments {
    private(set) var words: [String] = []
    private(set) var options: [(name: String, value: String)] = []
    private(set) var flags: Set<String> = []

    /// Takes the words apart.
    /// - Throws: `UsageError` for an option that the verb does not know, or one without its value.
    init(_ arguments: [String], options known: [String], flags: [String] = []) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if flags.contains(word) {
                self.flags.insert(word)
            } else if known.contains(word) {
                guard let value = rest.popFirst() else {
                    throw UsageError("The option \(word) needs a value.")
                }
                options.append((word, value))
            } else if word.hasPrefix("-"), word.count > 1 {
                throw UsageError("There is no option \(word) here.")
            } else {
                words.append(word)
            }
        }
    }

    /// The last value of an option, or nil.
    func value(of name: String) -> String? { options.last { $0.name == name }?.value }
}
