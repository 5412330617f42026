import CLinux
import Glibc
import Harness
import HiddenScenes
import Scenes

/// A server that is started only to be told to end. `ServerProcess` would look into the kernel's
/// whole table of sockets for each of some hundred servers; this one asks for less.
final class BriefServer {
    let process: ChildProcess
    private let deadline: Deadline

    init(_ executable: String, _ deadline: Deadline) throws(CheckFailure) {
        self.deadline = deadline
        do {
            process = try ChildProcess(
                executable, ["0"], environment: ["SWIFT_BACKTRACE": "enable=no"],
                limits: ServerProcess.limits)
        } catch {
            throw .machine(error.description)
        }
    }

    /// A connected client's socket. The caller closes it.
    func connect() throws(CheckFailure) -> CInt {
        var port: UInt16?
        try wait(for: "the line `listening on 127.0.0.1:PORT`") {
            let text = String(decoding: self.process.standardOutput, as: UTF8.self)
            if text.hasSuffix("\n") {
                port = UInt16(text.dropLast().split(separator: ":").last ?? "")
            }
            return port != nil
        }
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = (port ?? 0).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, size)
            }
        }
        guard result == 0 else {
            let reason = errorText(errno)
            close(client)
            throw CheckFailure(expected: "a connection", found: reason)
        }
        return client
    }

    /// Waits until a handler is installed for a signal.
    func waitUntilCaught(_ signal: CInt) throws(CheckFailure) {
        try wait(for: "a handler for \(signalName(signal))") {
            signalSet("SigCgt", of: self.process.pid).contains(signal)
        }
    }

    /// Sends a line, and requires it back.
    func exchange(_ line: [UInt8], with client: CInt) throws(CheckFailure) {
        send(client, line, line.count, Int32(MSG_NOSIGNAL))
        try receive(line, from: client)
    }

    /// Requires that a line comes back.
    func receive(_ line: [UInt8], from client: CInt) throws(CheckFailure) {
        var received: [UInt8] = []
        while received.count < line.count {
            var buffer = [UInt8](repeating: 0, count: 64)
            var count = -1
            try wait(for: "a line, sent before SIGTERM, to come back", mayEnd: true) {
                count = recv(client, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                return count != -1 || errno != EAGAIN
            }
            received += buffer.prefix(max(count, 0))
            guard count > 0, line.starts(with: received) else {
                throw CheckFailure(
                    expected: "\(escaped(line)), which was sent before SIGTERM",
                    found: count == 0
                        ? "the end of the connection"
                        : count == -1 ? errorText(errno) : escaped(received))
            }
        }
    }

    /// Waits until it has ended, and requires status 0.
    func waitForItsEnd() throws(CheckFailure) {
        try wait(for: "a server that ends with status 0", mayEnd: true) {
            self.process.exitStatus() != nil
        }
        guard process.exitStatus() == .exited(0) else { throw ended() }
    }

    private func ended() -> CheckFailure {
        let words = String(decoding: process.standardError.suffix(200), as: UTF8.self)
        let status = process.exitStatus().map { "the server \($0)" } ?? ""
        return CheckFailure(
            expected: "a server that ends with status 0 after SIGTERM",
            found: "\(status). \(printable(words))")
    }

    private func wait(
        for what: String, mayEnd: Bool = false, until condition: () -> Bool
    ) throws(CheckFailure) {
        var earlier: [ProcFS.Thread] = []
        var turns = 0
        while !condition() {
            if let status = process.exitStatus() {
                if !mayEnd || status != .exited(0) { throw ended() }
                if condition() { return }
            }
            turns += 1
            if turns % 50 == 0 {
                let now = ProcFS(pid: process.pid).threads()
                let calls = now.compactMap(\.call)
                let rests = calls.count == now.count && calls.allSatisfy(\.waitsForever)
                if deadline.hasPassed || (rests && !now.isEmpty && now == earlier && !condition()) {
                    throw CheckFailure(
                        expected: what,
                        found: "it will not come: the server is in "
                            + (calls.map(\.description).first ?? "its own code"),
                        cause: "SIGTERM came at a moment at which nobody looked at it any more.")
                }
                earlier = now
            }
            process.waitForEnd(milliseconds: turns < 20 ? 0 : 1)
        }
    }
}
