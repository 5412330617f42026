import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// Longer stories of the suite of poll-echo.
extension Echo {
    /// Requires that 300 clients leave no rows behind.
    func letThreeHundredComeAndGo() throws(CheckFailure) {
        let server = try start()
        let clients = try run.connect(server, count: 2)
        for client in clients { try run.exchangeALine(with: client) }
        let before = try server.restingPollRows().count
        clients[1].close()
        run.transcript.add("300 clients come and go, one after the other")
        for _ in 1...300 {
            let client = try run.connect(server, quietly: true)
            try run.exchangeALine(with: client)
            client.close()
        }
        let after = try server.restingPollRows().count
        guard after <= before else {
            throw CheckFailure(
                expected: "an array of at most \(before) rows, as with two clients before",
                found: "\(after) rows, and one client: the rows of the others are still there")
        }
    }

    /// Requires that the array follows each coming and going.
    func letSomeLeaveAndOthersCome() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try start(trace: trace)
        let clients = try run.connect(server, count: 6)
        for client in clients { try run.exchangeALine(with: client) }
        run.transcript.add("three of them leave, one after the other; one resets its connection")
        for index in [1, 3, 5] {
            if index == 3 { clients[index].reset() } else { clients[index].close() }
            _ = try server.restingRows(trace)
        }
        run.transcript.add("another client comes, and gets a number that was theirs")
        let new = try run.connect(server)
        for client in [new, clients[0], clients[4]] { try run.exchangeALine(with: client) }
        _ = try server.restingRows(trace)
    }

    /// Lets clients leave and others come in one turn of the loop.
    func letNewClientsTakeOldPlaces() throws(CheckFailure) {
        let server = try start()
        let old = try run.connect(server, count: 3)
        for client in old { try run.exchangeALine(with: client) }
        let before = try restingDescriptors(server)
        run.transcript.add(
            "stopped: one of them resets its connection, two others run.connect and are silent")
        try server.send(SIGSTOP)
        old[1].reset()
        let new = [try run.connect(server), try run.connect(server)]
        try server.send(SIGCONT)
        try requireDescriptors(server, before + 1, after: "one for two")
        for client in new + [old[0], old[2]] { try run.exchangeALine(with: client) }
    }
}
