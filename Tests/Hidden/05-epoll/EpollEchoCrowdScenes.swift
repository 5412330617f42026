import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// What is done to a server with many clients, or with clients that take each other's place.
extension Echo {
    /// One client leaves and another comes, in one answer of epoll_wait.
    func replaceAClientInOneTurn() throws(CheckFailure) {
        let server = try start()
        let old = try run.connect(server)
        try run.exchangeALine(with: old)
        try rest(server)
        // Stopped, so that the end of one and the beginning of the other come in one answer.
        run.transcript.add("the server is stopped")
        try server.send(SIGSTOP)
        old.close()
        let new = try run.connect(server)
        let line = run.random.line(8)
        try new.send(line)
        try run.despiteTheFault("the server goes on: both events come at once") {
            () throws(CheckFailure) in
            try server.send(SIGCONT)
            try new.receive(line)
            try run.exchangeALine(with: new)
        }
    }

    /// All of 700 clients are ready in one moment, twice; between, some come anew.
    func makeAllReadyAtOnce() throws(CheckFailure) {
        let server = try start()
        var clients = try run.connect(server, count: 700)
        for client in clients { try run.exchangeALine(with: client) }
        for _ in 1...2 {
            try server.send(SIGSTOP)
            run.transcript.add("the server is stopped; all of them send a line; it goes on")
            let line = run.random.line(8)
            for client in clients { try client.send(line) }
            try server.send(SIGCONT)
            for client in clients { try client.receive(line) }
            try rest(server)
            clients += try run.connect(server, count: 3)
            // Each of them, for an event of another may have closed it.
            try run.exchangeALine(withEach: clients)
        }
        for client in clients { client.reset() }
    }
}
