import CLinux
import Glibc
import Harness

/// What is done to a server with many clients, or with clients that take each other's place.
extension CheckRun {
    /// One client leaves and another comes, in one answer of epoll_wait.
    func replaceAClientInOneTurn() throws(CheckFailure) {
        let server = try startServer()
        let old = try connect(server)
        try exchangeALine(with: old)
        try server.requireRestInEpollWait()
        // Stopped, so that the end of one and the beginning of the other come in one answer.
        transcript.add("the server is stopped")
        try server.send(SIGSTOP)
        old.close()
        let new = try connect(server)
        let line = random.line(8)
        try new.send(line)
        try despiteTheFault("the server goes on: both events come at once") {
            () throws(CheckFailure) in
            try server.send(SIGCONT)
            try new.receive(line)
            try exchangeALine(with: new)
        }
    }

    /// A client with unsent bytes resets its connection, and the next one gets its descriptor.
    func replaceAClientThatWasOwedBytes() throws(CheckFailure) {
        let server = try startServer()
        let slow = try connect(server)
        _ = try server.fillUntilItRests(self, slow)
        slow.reset()
        try server.requireRestInEpollWait()
        transcript.add("the next client gets the descriptor that has become free")
        try exchangeALine(with: connect(server))
    }

    /// 8,000 clients at once, served in reverse order.
    func serve8000Clients() throws(CheckFailure) {
        try requireDescriptors(8_300)
        let server = try startServer(openFiles: 8_200)
        var clients: [TCPClient] = []
        transcript.add("8,000 clients connect; every 400th exchanges a line")
        while clients.count < 8_000 {
            for _ in 0..<400 { clients.append(try connect(server, quietly: true)) }
            // The backlog is a queue: when the last one is served, all have been accepted.
            if let last = clients.last { try exchangeALine(with: last) }
        }
        transcript.add("now each of them speaks, the last one first")
        for client in clients.reversed() { try exchangeALine(with: client) }
        // A reset leaves no TIME_WAIT behind: 8,000 of them would make the table of sockets long.
        for client in clients { client.reset() }
    }

    /// All of 700 clients are ready in one moment, twice; between, some come anew.
    func makeAllReadyAtOnce() throws(CheckFailure) {
        let server = try startServer()
        var clients = try connect(server, count: 700)
        for client in clients { try exchangeALine(with: client) }
        for _ in 1...2 {
            try server.send(SIGSTOP)
            transcript.add("the server is stopped; all of them send a line; it goes on")
            let line = random.line(8)
            for client in clients { try client.send(line) }
            try server.send(SIGCONT)
            for client in clients { try client.receive(line) }
            try server.requireRestInEpollWait()
            clients += try connect(server, count: 3)
            for client in clients.suffix(3) { try exchangeALine(with: client) }
        }
        for client in clients { client.reset() }
    }

    /// 300 clients come and go; no descriptor may be left.
    func serve300ClientsThatLeave() throws(CheckFailure) {
        let server = try startServer()
        try server.requireRestInEpollWait()
        let before = server.proc.descriptors().count
        transcript.add("300 clients come and go; every third resets its connection")
        for number in 1...300 {
            let client = try connect(server, quietly: true)
            try exchangeALine(with: client)
            if number % 3 == 0 { client.reset() } else { client.close() }
        }
        try server.requireRestInEpollWait()
        let after = server.proc.descriptors().count
        guard after <= before else {
            throw CheckFailure(
                expected: "\(before) open descriptors, as before the first client",
                found: "\(after), so \(after - before) are left of 300 clients")
        }
    }

    /// More clients than descriptors: the rest waits, and is served when others leave.
    func runOutOfDescriptors() throws(CheckFailure) {
        let server = try startServer(openFiles: 20)
        let clients = try connect(server, count: 40)
        try server.requireRestInEpollWait(
            cause: "accept fails with EMFILE, and the listener stays ready: epoll_wait returns "
                + "at once, again and again. Take EPOLLIN off the listener for the time.")
        let waiting = SocketTable.listener(port: server.port)?.receiveQueue ?? 0
        guard waiting > 0 else {
            throw CheckFailure(
                expected: "clients that wait in the backlog: 20 descriptors are not enough",
                found: "an empty backlog", cause: "Who is accepted and closed is turned away.")
        }
        let served = clients.count - waiting
        transcript.add("\(served) are accepted, \(waiting) wait in the backlog")
        for client in clients.prefix(served) { try exchangeALine(with: client) }
        transcript.add("then one after the other leaves, and each time the next is served")
        for (leaver, next) in zip(clients, clients.dropFirst(served)) {
            leaver.close()
            try exchangeALine(with: next)
        }
        try server.requireRestInEpollWait()
    }
}
