// SPDX-License-Identifier: MIT

extension Course {
    static let blocking = Chapter(
        id: "01-blocking", title: "Blocking I/O",
        exercises: [blockingUDP, blockingTCP, threadPerConnection])
    static let nonblocking = Chapter(
        id: "02-nonblocking", title: "Nonblocking I/O",
        exercises: [nonblockingUDP, nonblockingTCP])
    static let select = Chapter(
        id: "03-select", title: "select and pselect",
        exercises: [selectEcho, pselectDrain])
    static let poll = Chapter(id: "04-poll", title: "poll", exercises: [pollEcho])
    static let epoll = Chapter(
        id: "05-epoll", title: "I/O multiplexing with epoll",
        exercises: [epollEcho, epollEdge, epollSources])
}
