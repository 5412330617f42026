// SPDX-License-Identifier: MIT

extension Course {
    static let blocking = Chapter(
        id: "01-blocking", title: "Blocking I/O",
        exercises: [blockingUDP, blockingTCP, threadPerConnection])
}
