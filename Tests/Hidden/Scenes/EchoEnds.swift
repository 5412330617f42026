// SPDX-License-Identifier: MIT

import Glibc
public import Harness
import Registry
import Scenes

/// How clients leave: silently, in the middle, with bytes under way, all at once.
extension Echo {
    /// A client that has sent nothing leaves.
    public func clientSaysNothing() throws(CheckFailure) {
        let server = try start()
        let before = try restingDescriptors(server)
        let silent = try run.connect(server)
        silent.finishSending()
        try silent.receiveEnd()
        try run.connect(server).close()
        try server.waitForAnEmptyBacklog()
        try requireDescriptors(server, before, after: "both clients have left")
        try run.visit(server)
    }

    /// The bytes of a client and its end are both there when the server looks.
    public func echoesAfterHalfClose() throws(CheckFailure) {
        let server = try start()
        for count in [3, 1000, 50_000, 100_000] {
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            try rest(server)
            try server.send(SIGSTOP)
            run.transcript.add("the server is stopped")
            let bytes = run.random.bytes(count)
            try client.send(bytes)
            client.finishSending()
            run.transcript.add("the server goes on")
            try server.send(SIGCONT)
            try client.receive(bytes)
            try client.receiveEnd()
        }
    }

    /// A client finishes sending while bytes of it are unread, and others unsent. All of them come
    /// back, and then the end.
    public func echoesTheRestAfterTheEnd() throws(CheckFailure) {
        let server = try start()
        let slow = try slowReader(server, hasRoom: true)
        slow.client.finishSending()
        try server.wait(for: "the end of \(slow.client.name) to arrive") {
            slow.client.unacknowledgedBytes == 0 || !server.hasConnection(to: slow.client)
        }
        // The end is an event, too, and it must not keep the server busy.
        try rest(server)
        run.transcript.add("\(slow.client.name) reads little by little all that it has sent")
        // So slowly that the end is next to be read while there are still bytes to be sent.
        var received = 0
        while server.unreadBytes(of: slow.client) > 0, received < slow.bytes.count {
            received += try receive(
                slow.client, slow.bytes, from: received, atMost: 1 << 14)
            try rest(server)
        }
        try slow.client.receive(Array(slow.bytes[received...]))
        try slow.client.receiveEnd()
        // Not with edges: there has been room all the time, so no edge would follow.
        if model.servesMany, model.hasOneThread, model != .edge { try endsWithoutRoom() }
    }

    /// A line and the end are there, and the next writes find no room: the end is met while bytes are
    /// unsent.
    private func endsWithoutRoom() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try start(trace: trace)
        let client = try run.connect(server)
        try run.exchangeALine(with: client)
        try rest(server)
        trace.hold(at: 1, of: SystemCall.reading, from: 3)
        let line = run.random.line(8)
        try client.send(line)
        try server.wait(for: "the server to read") { trace.isHolding }
        client.finishSending()
        for nth in 1...3 { trace.inject(.fail(EAGAIN), at: nth, of: SystemCall.writing, from: 3) }
        try run.despiteTheFault("its next three writes will find no room (EAGAIN)") {
            () throws(CheckFailure) in
            trace.release()
            try client.receive(line)
            try client.receiveEnd()
        }
    }

    /// A client resets its connection while the server is idle.
    public func survivesAReset() throws(CheckFailure) {
        let server = try start()
        let others = try bystanders(server)
        let before = try restingDescriptors(server)
        let client = try run.connect(server)
        try run.exchangeALine(with: client)
        try rest(server)
        client.reset()
        try requireDescriptors(server, before, after: "the reset")
        try requireService(server, others)
    }

    /// A client resets its connection while bytes for it are unsent.
    public func survivesAResetWhileBytesAreUnsent() throws(CheckFailure) {
        let server = try start()
        let others = try bystanders(server)
        let before = try restingDescriptors(server)
        let slow = try slowReader(server)
        slow.client.reset()
        run.transcript.add("\(slow.client.name) resets its connection, with bytes unsent")
        try requireDescriptors(server, before, after: "the reset")
        try requireService(server, others)
    }

    /// Replies are written to a client that is gone: the first is answered with a reset, and with the
    /// second comes SIGPIPE. See EPIPE in send(2).
    public func survivesAWriteToAGoneClient() throws(CheckFailure) {
        let server = try start()
        let others = try bystanders(server)
        let before = try restingDescriptors(server)
        for _ in 1...2 {
            let client = try run.connect(server)
            try run.exchangeALine(with: client)
            // Stopped, so that everything below has happened before it reads again.
            try server.send(SIGSTOP)
            try client.send(run.random.line(8))
            // An urgent byte parts the bytes around it for every server, whatever its buffer.
            try client.sendUrgent(0x21)
            try client.send(run.random.line(8))
            client.close()
            run.transcript.add(
                "the server, stopped meanwhile, goes on: it has two replies to write")
            try server.send(SIGCONT)
            try requireDescriptors(server, before, after: "a client that is gone")
        }
        try requireService(server, others)
    }

    /// 300 clients come and go in several ways; no descriptor may be left.
    public func leavesNoDescriptor() throws(CheckFailure) {
        let server = try start()
        let before = try restingDescriptors(server)
        run.transcript.add(
            "300 clients come and go; some reset their connection, some send and leave at once")
        for number in 1...300 {
            let client = try run.connect(server, quietly: true)
            try run.exchangeALine(with: client)
            // Stopped, so that bytes and end are both there when it looks.
            if number % 10 < 2 {
                try server.send(SIGSTOP)
                try client.send(run.random.line(8))
            }
            if number % 3 == 0 || number % 10 == 1 { client.reset() } else { client.close() }
            if number % 10 < 2 { try server.send(SIGCONT) }
        }
        try requireDescriptors(server, before, after: "300 clients have left")
    }

    /// Some clients leave and one comes while the others speak, all in one moment.
    public func clientsLeaveTogether() throws(CheckFailure) {
        let server = try start()
        let clients = try bystanders(server, 7)
        let before = try restingDescriptors(server)
        try server.send(SIGSTOP)
        run.transcript.add(
            "stopped: 1, 2, 4 close, 6 resets its connection, the others speak, one comes")
        for index in [0, 1, 3] { clients[index].close() }
        clients[5].reset()
        let others = [clients[2], clients[4], clients[6]]
        let new = try run.connect(server)
        let lines = (others + [new]).map { _ in run.random.line(8) }
        for (client, line) in zip(others + [new], lines) { try client.send(line) }
        run.transcript.add("it goes on")
        try server.send(SIGCONT)
        for (client, line) in zip(others + [new], lines) { try client.receive(line) }
        try requireDescriptors(server, before - 3, after: "four have left and one has come")
        try requireService(server, others + [new])
    }

    /// A client with unsent bytes resets its connection, and the next one gets its descriptor: after a
    /// while, and in the same moment.
    public func givesNobodyAnothersBytes() throws(CheckFailure) {
        let server = try start()
        let before = try restingDescriptors(server)
        for atOnce in [false, true] {
            let slow = try slowReader(server)
            if atOnce {
                try server.send(SIGSTOP)
                run.transcript.add("the server is stopped")
            }
            slow.client.reset()
            run.transcript.add("\(slow.client.name) resets its connection, with bytes unsent")
            if !atOnce { try requireDescriptors(server, before, after: "the reset") }
            // An accept that waits has its number already: then the second one gets the old one.
            let new = try run.connect(server, count: model.servesMany ? 2 : 1)
            let lines = new.map { _ in run.random.line(8) }
            for (client, line) in zip(new, lines) { try client.send(line) }
            if atOnce { try server.send(SIGCONT) }
            for (client, line) in zip(new, lines) { try client.receive(line) }
            // Nothing is left that keeps their bytes from being read, or from being sent.
            for client in new {
                let bytes = run.random.bytes(200_000)
                try client.send(bytes)
                try client.receive(bytes)
            }
            for client in new { client.close() }
            try requireDescriptors(server, before, after: "all have left")
        }
    }
}
