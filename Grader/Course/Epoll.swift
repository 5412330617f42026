// SPDX-License-Identifier: MIT

extension Course {
    static let epoll = Chapter(id: "05-epoll", title: "epoll", exercises: [epollSources])
}
