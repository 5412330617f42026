// SPDX-License-Identifier: MIT

extension Course {
    static let epoll = Chapter(
        id: "05-epoll", title: "I/O multiplexing with epoll",
        exercises: [epollEcho, epollEdge, epollSources])
}
