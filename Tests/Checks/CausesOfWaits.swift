// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import Harness

/// What a server waits in while a client waits for it.
extension Evidence {
    var socketOption: Cause? {
        let isReset = exchange?.outcome == .reset || failure.found.contains("(RST)")
        if isReset, isSet("SO_LINGER", "on, 0 s") {
            return Cause(
                "SO_LINGER",
                "SO_LINGER with 0 s is set: close then resets the connection, and the kernel throws "
                    + "away what was still to be sent.")
        }
        if let lowest = clientsSocket?.options["SO_RCVLOWAT"], let unread = clientsSocket?.unread,
            unread < lowest
        {
            return Cause(
                "SO_RCVLOWAT",
                "SO_RCVLOWAT is \(lowest): a read waits until so many bytes are there, and only "
                    + "\(unread) of \(exchange?.client ?? "the client") have come.")
        }
        if exchange?.outcome == .waiting, clientsSocket?.options["TCP_CORK"] != nil {
            return Cause(
                "TCP_CORK", "TCP_CORK is set: the kernel keeps bytes back until a segment is full.")
        }
        if exchange?.outcome == .waiting, let last = clientsCalls.last(where: \.isWriting),
            last.call.messageFlags & 0x8000 != 0
        {
            return Cause(
                "MSG_MORE",
                "\(last.words) says that more will follow (MSG_MORE): the kernel keeps the bytes "
                    + "back until it does.")
        }
        if isUrgentByteAmongThem, isSet("SO_OOBINLINE", "1") {
            return Cause(
                "SO_OOBINLINE",
                "SO_OOBINLINE is set: a read then brings urgent bytes too, in the midst of the others, "
                    + "and they were sent back with them.")
        }
        if failure.expected.contains("cannot bind"),
            facts.sockets.contains(where: { $0.options["SO_REUSEPORT"] != nil })
        {
            return Cause(
                "SO_REUSEPORT",
                "SO_REUSEPORT is set: it lets two servers share a port, and the kernel deals out the "
                    + "clients between them.")
        }
        return dropped
    }

    /// Whether what came is what should have come, with one byte more in its midst.
    private var isUrgentByteAmongThem: Bool {
        guard let exchange, exchange.outcome == .changed, !exchange.isDatagram else { return false }
        let common = zip(exchange.expected, exchange.received).prefix { $0 == $1 }.count
        let rest = exchange.received.dropFirst(common + 1)
        return exchange.expected.dropFirst(common).starts(with: rest)
    }

    private func isSet(_ name: String, _ value: String) -> Bool {
        sockets.contains { $0.options[name] == (name == "SO_LINGER" ? 0 : 1) }
            || (setup + calls).contains { event in
                event.number == SYS_setsockopt && event.question.contains("\(name) \(value)")
            }
    }

    private var dropped: Cause? {
        guard exchange?.isDatagram == true, exchange?.outcome == .waiting else { return nil }
        for socket in sockets {
            guard case .datagrams(let count) = socket.state, count > 0 else { continue }
            guard let size = socket.options["SO_RCVBUF"] else { continue }
            return Cause(
                "SO_RCVBUF",
                "The kernel has dropped \(counted(count, "datagram")) that did not fit into the "
                    + "socket's receive buffer: SO_RCVBUF is \(counted(size, "byte")), far less than "
                    + "a socket has by itself.")
        }
        return nil
    }

    var waitsForThread: Cause? {
        guard exchange != nil || failure.expected.contains("wait") else { return nil }
        // Whom most threads wait for explains most.
        for thread in threads {
            switch thread.waitsFor {
            case .end(let other):
                return Cause(
                    "joins",
                    "The thread that should accept waits for the end of another one (pthread_join), "
                        + "and that one is \(place(of: other)). Detach a thread, or join it when it "
                        + "has ended.")
            case .lock(let other) where other == thread.id:
                return Cause(
                    "a lock that is never released",
                    "A thread waits for a lock that it holds itself.")
            case .lock(let other):
                return Cause(
                    "a lock held",
                    "A thread waits for a lock, and the thread that holds it is "
                        + "\(place(of: other)). Nobody may hold a lock while a call of it waits.")
            case .somebody, nil: continue
            }
        }
        return nil
    }

    /// A lock without a known owner: one that readers share, or whose owner has ended.
    var waitsForSomebody: Cause? {
        let waiting = threads.filter { $0.waitsFor == .somebody }.count
        guard waiting > 0, exchange?.outcome == .waiting else { return nil }
        let others = threads.compactMap(\.call).filter { $0.name != "futex" && !isAccepting($0) }
        let busy = others.first.map { "; another one is in \($0.description)" } ?? ""
        return Cause(
            "a lock held",
            "\(counted(waiting, "thread")) \(waiting == 1 ? "waits" : "wait") in futex, for a lock or "
                + "for another thread\(busy). A lock must be released on every way out, and before "
                + "any call that may wait.")
    }

    private func isAccepting(_ call: SystemCall) -> Bool { call.row?.kind == .accepting }

    private func place(of thread: Int32) -> String {
        guard let call = threads.first(where: { $0.id == thread })?.call else { return "running" }
        let socket = sockets.first { call.isOn($0.descriptor) }
        return "in \(call.description)" + (socket?.client.map { ", with \($0)" } ?? "")
    }

    var sharedDescriptor: Cause? {
        guard exchange?.outcome == .waiting, let own = clientsSocket, own.unread > 0 else {
            return nil
        }
        let reading = threads.compactMap(\.call).filter { $0.row?.kind == .reading }
        let groups = Dictionary(grouping: reading, by: \.descriptor).filter { $0.value.count > 1 }
        guard let (shared, calls) = groups.first,
            !reading.contains(where: { $0.descriptor == own.descriptor })
        else { return nil }
        return Cause(
            "two threads on one descriptor",
            "\(calls.count) threads wait in \(calls[0].name)(\(shared)), and none reads descriptor "
                + "\(own.descriptor), the connection of \(own.client ?? "the client"): each thread "
                + "needs its own number, and not a pointer to a variable that changes.")
    }

    var unacceptedClient: Cause? {
        let waiting = sockets.compactMap { socket -> Int? in
            guard case .listens(let count) = socket.state, count > 0 else { return nil }
            return count
        }.first
        guard let waiting, exchange?.outcome == .waiting, clientsSocket == nil else { return nil }
        let calls = threads.compactMap(\.call)
        guard !calls.isEmpty, !calls.contains(where: isAccepting), calls.count == threads.count
        else {
            return nil
        }
        let clients = counted(waiting, "client")
        if threads.count == 1 {
            return Cause(
                "nobody accepts",
                "Its one thread is \(place(of: threads[0].id)), and accepts nobody meanwhile: "
                    + "\(clients) \(waiting == 1 ? "waits" : "wait") in the backlog.")
        }
        let places = Dictionary(grouping: calls, by: \.name).sorted {
            $0.value.count > $1.value.count
        }
        .map { "\($0.value.count) in \($0.key)" }.joined(separator: ", ")
        return Cause(
            "nobody accepts",
            "None of its \(threads.count) threads is in accept (\(places)): \(clients) "
                + "\(waiting == 1 ? "waits" : "wait") in the backlog until one of them is free.")
    }

    /// Bytes that have come, and that no thread is about to read.
    var unreadBytes: Cause? {
        guard exchange?.outcome == .waiting, let own = clientsSocket, own.unread > 0,
            !threads.isEmpty
        else { return nil }
        let calls = threads.compactMap(\.call)
        guard calls.count == threads.count, !calls.contains(where: { $0.isOn(own.descriptor) })
        else {
            return nil
        }
        let places = calls.prefix(4).map(\.description).joined(separator: ", ")
        let who =
            calls.count == 1
            ? "its one thread is in \(places)"
            : "none of its \(calls.count) threads reads there (they are in \(places)"
                + (calls.count > 4 ? ", …)" : ")")
        return Cause(
            "unread",
            "\(counted(own.unread, "byte")) of \(own.client ?? "the client") "
                + (own.unread == 1 ? "lies" : "lie")
                + " unread on descriptor \(own.descriptor), and \(who).")
    }

    var keptBytes: Cause? {
        guard let exchange, !exchange.isDatagram, exchange.outcome == .waiting else { return nil }
        let own = clientsCalls
        let taken = own.filter(\.isReading).reduce(0) { $0 + max($1.result ?? 0, 0) }
        let given = own.filter(\.isWriting).reduce(0) { $0 + max($1.result ?? 0, 0) }
        guard taken > given, let last = own.last, last.isReading, last.result == nil
        else { return nil }
        return Cause(
            "bytes kept back",
            "It has read \(counted(taken, "byte")) of \(exchange.client), written \(given), and waits "
                + "in \(last.words) for more. Send back what has come: more "
                + "need not come before the client has its answer.")
    }

    var waitsElsewhere: Cause? {
        guard failure.expected.contains("waiting in") || failure.expected.contains("that waits in")
        else { return nil }
        guard
            let call = threads.compactMap(\.call).first(where: { call in
                [.selecting, .polling, .waitingInEpoll, .sleeping].contains(call.row?.kind)
            })
        else { return nil }
        if call.row?.kind == .sleeping {
            return Cause(
                "sleeps",
                "It sleeps (\(call.name)) between two looks. What comes meanwhile has to wait: let "
                    + "the call wait that brings it.")
        }
        return nil
    }
}
