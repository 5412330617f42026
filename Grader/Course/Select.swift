// SPDX-License-Identifier: MIT

extension Course {
    static let select = Chapter(
        id: "03-select", title: "select and pselect",
        exercises: [selectEcho, pselectDrain])
}
