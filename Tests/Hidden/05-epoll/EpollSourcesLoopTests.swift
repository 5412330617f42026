import Checks
import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// All sources in one loop, and the calls that it makes.
extension EpollSourcesHiddenTests {
    func testTellsAllSourcesAtOnce() throws {
        try check { run in
            let room = try ControlRoom(run)
            let client = try room.join()
            let writer = try room.openFifo()
            try room.whileStopped { () throws(CheckFailure) in
                try room.post("news", priority: 1)
                room.signal(SIGUSR2, "SIGUSR2")
                try room.create("file")
                try room.write("text\n", into: writer)
                try client.send("add 3")
            }
            try client.expect(inAnyOrder: [
                "queue news priority 1", "signal SIGUSR2 from \(getpid())", "created file",
                "fifo text", "counter 3",
            ])
            room.leaveFifo(writer)
        }
    }

    func testWatchesEverySource() throws {
        try check { run in
            let room = try ControlRoom(run)
            _ = try room.join()
            let proc = room.server.proc
            guard let epoll = proc.epollDescriptors().first, proc.epollDescriptors().count == 1,
                let watched = proc.interestList(of: epoll)
            else {
                throw CheckFailure(
                    expected: "one epoll descriptor",
                    found: "\(proc.epollDescriptors().count) of them")
            }
            let descriptors = proc.descriptors()
            for (target, name) in room.sourceNames {
                guard watched.contains(where: { descriptors[$0.descriptor] == target }) else {
                    let isOpen = descriptors.values.contains(target)
                    throw CheckFailure(
                        expected: "the \(name) in the interest list of the epoll descriptor",
                        found: isOpen ? "it is open, and not in the list" : "there is none")
                }
            }
        }
    }

    func testWaitsInEpollWait() throws {
        try check { run in
            let room = try ControlRoom(run)
            try room.requireParked()
            let client = try room.join()
            try room.requireParked()
            try client.send("every 1")
            _ = try client.expirations()
            try client.send("every 0", "add 1")
            try client.timerLines(until: "counter 1")
            try room.requireParked()
            try room.useEachSource(client)
            try room.requireParked()
        }
    }

    func testUsesTheCallsOfTheModel() throws {
        try check { run in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            try room.server.waitUntilParked()
            let client = try room.join()
            let start = Deadline.nanoseconds()
            for _ in 1...3 { try room.useEachSource(client) }
            // What each source gives has a length of its own, so no copies are counted.
            try requireModel(trace, since: start, doing: "12 events", requests: 12, bytes: 0)
            let asked = trace.calls(SYS_epoll_ctl)
            guard asked.contains(where: { $0.result == -Int(EPERM) }) else {
                throw CheckFailure(
                    expected: "an epoll_ctl that tries to add notes.txt, and fails with EPERM",
                    found: "\(counted(asked.count, "call")) of epoll_ctl, none of them failed so")
            }
            let changes = asked.filter { $0.start >= start }.count
            guard changes <= 2 else {
                throw CheckFailure(
                    expected: "an interest list that stays as it is while 12 events are told",
                    found: "\(counted(changes, "call")) of epoll_ctl",
                    cause: "The list lives in the kernel: what is in it is watched until it is "
                        + "closed. Ask for EPOLLOUT only while bytes are unsent.")
            }
        }
    }

    func testGoesOnAfterAnInterruption() throws {
        try check { run in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            let client = try room.join()
            try room.server.waitUntilParked()
            trace.inject(.fail(EINTR), at: 1, of: SystemCall.writing, from: 3)
            try run.despiteTheFault("its next write will be interrupted by a signal (EINTR)") {
                () throws(CheckFailure) in
                try room.create("first")
                try client.expect("created first")
            }
            let reading = SystemCall.reading.union([SYS_mq_timedreceive])
            for kind in [reading, SystemCall.accepting] {
                for nth in [1, 4, 7, 10] { trace.inject(.fail(EINTR), at: nth, of: kind, from: 3) }
            }
            trace.inject(.fail(EINTR), at: 2, of: SystemCall.waitingInEpoll)
            let fault = "its 1st, 4th, 7th and 10th read, its accept and an epoll_wait will be, too"
            try run.despiteTheFault(fault) { () throws(CheckFailure) in
                try room.useEachSource(client)
                try client.send("every 10")
                _ = try client.expirations()
                try client.send("every 0", "add 1")
                try client.timerLines(until: "counter 1")
                _ = try room.join()
                try room.useEachSource(client)
            }
        }
    }

    func testGoesOnAfterAnAbortedConnection() throws {
        try check { run in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            try run.loseClients(trace) { () throws(CheckFailure) in try room.visit() }
        }
    }

    func testGoesOnWithoutRoom() throws {
        try check { run in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            try run.leaveNoRoom(trace) { () throws(CheckFailure) in try room.visit() }
        }
    }

    func testEndsWhenItsListenerIsBroken() throws {
        try check { run in
            let room = try ControlRoom(run)
            try room.visit()
            try run.breakTheListener(of: room.server)
        }
    }

    func testClosesAClientThatTheListHasNoRoomFor() throws {
        try check { run in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            let client = try room.join()
            var number = 0
            try run.refuseAnEntry(room.server, trace) { () throws(CheckFailure) in
                number += 1
                try client.send("add \(number)")
                try client.expect("counter \(number)")
            }
        }
    }

    func testGoesOnAfterAShortWrite() throws {
        try check { run in
            let trace = SyscallTrace.controlRoom
            let room = try ControlRoom(run, trace: trace)
            try room.server.waitUntilParked()
            trace.inject(.shorten(to: 3), at: nil, of: [SYS_write, SYS_sendto], from: 3)
            try run.despiteTheFault("each of its writes will take three bytes at most") {
                () throws(CheckFailure) in
                _ = try room.join()
                try room.create("file")
                try room.expect("created file")
            }
        }
    }
}
