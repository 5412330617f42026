import CLinux
import Glibc
import Harness

/// Longer stories of the suite of poll-echo.
extension CheckRun {
    /// Requires that 300 clients leave no rows behind.
    func letThreeHundredComeAndGo() throws(CheckFailure) {
        let server = try startServer()
        let clients = try connect(server, count: 2)
        for client in clients { try exchangeALine(with: client) }
        let before = try server.restingPollRows().count
        clients[1].close()
        transcript.add("300 clients come and go, one after the other")
        for _ in 1...300 {
            let client = try connect(server, quietly: true)
            try exchangeALine(with: client)
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
        let server = try startServer(trace: trace)
        let clients = try connect(server, count: 6)
        for client in clients { try exchangeALine(with: client) }
        transcript.add("three of them leave, one after the other; one resets its connection")
        for index in [1, 3, 5] {
            if index == 3 { clients[index].reset() } else { clients[index].close() }
            _ = try server.restingRows(trace)
        }
        transcript.add("another client comes, and gets a number that was theirs")
        let new = try connect(server)
        for client in [new, clients[0], clients[4]] { try exchangeALine(with: client) }
        _ = try server.restingRows(trace)
    }

    /// Lets several clients leave in one turn of the loop, while others speak.
    func letNeighboursLeaveTogether() throws(CheckFailure) {
        let server = try startServer()
        let clients = try connect(server, count: 6)
        for client in clients { try exchangeALine(with: client) }
        let before = try server.restingDescriptors()
        transcript.add("stopped: clients 2 and 3 close, 5 resets its connection, the others speak")
        try server.send(SIGSTOP)
        clients[1].close()
        clients[2].close()
        clients[4].reset()
        let others = [clients[0], clients[3], clients[5]]
        let lines = others.map { _ in random.line(8) }
        for (client, line) in zip(others, lines) { try client.send(line) }
        try server.send(SIGCONT)
        for (client, line) in zip(others, lines) { try client.receive(line) }
        try server.requireDescriptors(before - 3, after: "three clients have left")
        for client in others { try exchangeALine(with: client) }
    }

    /// Lets clients leave and others come in one turn of the loop.
    func letNewClientsTakeOldPlaces() throws(CheckFailure) {
        let server = try startServer()
        let old = try connect(server, count: 3)
        for client in old { try exchangeALine(with: client) }
        let before = try server.restingDescriptors()
        transcript.add(
            "stopped: one of them resets its connection, two others connect and are silent")
        try server.send(SIGSTOP)
        old[1].reset()
        let new = [try connect(server), try connect(server)]
        try server.send(SIGCONT)
        try server.requireDescriptors(before + 1, after: "one for two")
        for client in new + [old[0], old[2]] { try exchangeALine(with: client) }
    }

    /// Requires that idle clients cost no calls.
    func compareCallsWithFewAndManyIdle() throws(CheckFailure) {
        let trace = SyscallTrace.serving
        let server = try startServer(trace: trace)
        let speaker = try connect(server)
        let few = try connectMany(server, 10)
        let withFew = try callsForFiveLines(of: speaker, server, trace)
        let many = try connectMany(server, 490)
        let withMany = try callsForFiveLines(of: speaker, server, trace)
        guard withMany == withFew else {
            throw CheckFailure(
                expected: "\(withFew) calls for five lines, as with \(few.count) idle clients",
                found: "\(counted(withMany, "call")) with \(few.count + many.count)")
        }
    }

    /// Requires that clients wait in the backlog while no descriptor is free.
    func runOutOfDescriptors() throws(CheckFailure) {
        let server = try startServer(openFiles: 12)
        let clients = try connect(server, count: 12)
        try server.rest()
        let waiting = SocketTable.listener(port: server.port)?.receiveQueue ?? 0
        let served = clients.count - waiting
        guard served > 2, waiting > 2 else {
            throw CheckFailure(
                expected: "as many clients accepted as there are descriptors, the others waiting",
                found: "\(served) of 12 were accepted, \(waiting) wait in the backlog")
        }
        transcript.add("\(served) were accepted; these speak, and then one leaves")
        for client in clients.prefix(served) { try exchangeALine(with: client) }
        for index in 0..<waiting {
            clients[index].close()
            try exchangeALine(with: clients[served + index])
        }
    }

    /// Lets a client come and go: in order, with a reset, or with its bytes and its end at once.
    func comeAndGo(_ server: ServerProcess, _ number: Int) throws(CheckFailure) {
        let client = try connect(server, quietly: true)
        try exchangeALine(with: client)
        if number % 10 == 0 {
            // Stopped, so that bytes and end are both there when it asks.
            try server.send(SIGSTOP)
            try client.send(random.line(8))
            client.close()
            try server.send(SIGCONT)
        } else if number % 3 == 0 {
            client.reset()
        } else {
            client.close()
        }
    }
}
