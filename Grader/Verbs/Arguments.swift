// SPDX-License-Identifier: MIT

import Pipeline

/// The words after a verb: the plain ones, and the options with their values, in order.
package struct Arguments {
    package private(set) var words: [String] = []
    package private(set) var options: [(name: String, value: String)] = []
    package private(set) var flags: Set<String> = []

    /// Takes the words apart.
    /// - Throws: `UsageError` for an option that the verb does not know, or one without its value.
    package init(_ arguments: some Collection<String>, options known: [Verb.Option]) throws {
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word.count > 1 else {
                words.append(word)
                continue
            }
            guard let option = known.first(where: { $0.name == word }) else {
                throw UsageError("There is no option \(word) here.")
            }
            if option.value == nil {
                flags.insert(word)
            } else if let value = rest.popFirst() {
                options.append((word, value))
            } else {
                throw UsageError("The option \(word) needs a value.")
            }
        }
    }

    /// The last value of an option, or nil.
    package func value(of name: String) -> String? { options.last { $0.name == name }?.value }
}
