import CLinux
import Glibc
import Listening
import Support

/// What the three sets of select say about a socket in several states, and how the answer
/// overwrites the question.
func showSelectAnswers() throws(Errno) {
    let listener = try openListener(port: 0)
    print("state of the connection            readable  writable  exceptional  result")
    for (state, prepare) in socketStates {
        let (client, server) = try connectedPair(listener)
        defer {
            close(client)
            close(server)
        }
        prepare(client, server)
        var sets = (fd_set(), fd_set(), fd_set())
        FD_SET(server, &sets.0)
        FD_SET(server, &sets.1)
        FD_SET(server, &sets.2)
        var limit = timeval(tv_sec: 0, tv_usec: 100_000)
        let result = select(server + 1, &sets.0, &sets.1, &sets.2, &limit)
        guard result != -1 else { throw Errno("select") }
        let answers = [sets.0, sets.1, sets.2].map { FD_ISSET(server, [$0]) != 0 ? "yes" : "-" }
        print(column(state, 35), column(answers[0], 9), column(answers[1], 9), terminator: " ")
        print(column(answers[2], 12), result)
    }
    // Two sockets are asked about, and one has something to read.
    let (first, second) = (try connectedPair(listener), try connectedPair(listener))
    write(second.client, "x", 1)
    var set = fd_set()
    FD_SET(first.server, &set)
    FD_SET(second.server, &set)
    let question = members(set)
    guard select(second.server + 1, &set, nil, nil, nil) != -1 else { throw Errno("select") }
    print("the set before: {\(question)}\nthe set after: {\(members(set))}")
}

private let socketStates: [(String, @Sendable (CInt, CInt) -> Void)] = [
    ("nothing has come", { _, _ in }),
    ("a byte has come", { client, _ in write(client, "x", 1) }),
    ("an urgent byte has come", { client, _ in send(client, "!", 1, Int32(MSG_OOB)) }),
    ("the peer has finished", { client, _ in shutdown(client, Int32(SHUT_WR)) }),
    ("the peer has reset it (RST)", { client, _ in reset(client) }),
    ("the peer does not read", { _, server in fill(server) }),
]

/// Closes with a reset. The descriptor stays in use, so that the next connection gets another one.
private func reset(_ client: CInt) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    dup2(STDIN_FILENO, client)
}

private func fill(_ server: CInt) {
    let bytes = [UInt8](repeating: 0, count: 1 << 20)
    // Bytes that were sent may still go over to the peer, and make room again.
    for _ in 0..<20 {
        while send(server, bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
        usleep(1000)
    }
}

private func connectedPair(_ listener: CInt) throws(Errno) -> (client: CInt, server: CInt) {
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let address = try SocketAddress(of: listener)
    guard client != -1, address.withSockaddr({ connect(client, $0, $1) }) != -1 else {
        throw Errno("connect")
    }
    let server = accept(listener, nil, nil)
    guard server != -1 else { throw Errno("accept") }
    return (client, server)
}

/// The descriptors in a set.
private func members(_ set: fd_set) -> String {
    (0..<FD_SETSIZE).filter { FD_ISSET($0, [set]) != 0 }.map(String.init).joined(separator: ", ")
}

private func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
