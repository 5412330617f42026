// SPDX-License-Identifier: MIT

public import Checks
public import Harness
public import Registry
import Scenes

/// The echo contract, played with servers of one model. Each scene starts a server of its own.
public struct Echo {
    /// The run of the check.
    public let run: CheckRun
    /// The model, which says what an idle server is blocked in.
    public let model: Model

    /// Starts a server.
    /// - Parameters:
    ///   - openFiles: How many descriptors it may have, if not as many as usual.
    ///   - trace: Traces it.
    public func start(
        openFiles: UInt? = nil, trace: SyscallTrace? = nil
    ) throws(CheckFailure) -> ServerProcess {
        try run.startServer(openFiles: openFiles, trace: trace)
    }

    /// Connects so many clients that each have exchanged a line, and whom nothing that follows may
    /// affect; none where the model serves one client at a time.
    func bystanders(
        _ server: ServerProcess, _ count: Int = 1
    ) throws(CheckFailure) -> [TCPClient] {
        guard model.servesMany else { return [] }
        let clients = try run.connect(server, count: count)
        try run.exchangeALine(withEach: clients)
        return clients
    }

    /// Requires that bystanders are still served, and newcomers too.
    func requireService(_ server: ServerProcess, _ bystanders: [TCPClient]) throws(CheckFailure) {
        try run.exchangeALine(withEach: bystanders)
        try run.visit(server)
    }

    /// Connects many clients, so few at a time that the backlog has room for them.
    func connectMany(_ server: ServerProcess, _ count: Int) throws(CheckFailure) -> [TCPClient] {
        run.transcript.add("\(counted(count, "client")) connect")
        var clients: [TCPClient] = []
        while clients.count < count {
            for _ in 0..<min(400, count - clients.count) {
                clients.append(try run.connect(server, quietly: true))
            }
            try server.waitForAnEmptyBacklog()
        }
        return clients
    }
}

extension ExerciseChecks {
    /// Runs a check of the echo contract.
    public final func echo(
        _ method: String = #function, file: StaticString = #filePath, line: UInt = #line,
        _ scene: (Echo) throws -> Void
    ) throws {
        try check(method, file: file, line: line) { run in
            guard let model = Course.exercise(Self.exercise)?.model else { return }
            try scene(Echo(run: run, model: model))
        }
    }
}
