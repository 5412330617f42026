import Glibc
import Harness
import HiddenScenes
import Scenes

extension ServerProcess {
    /// Stops an echo server, sends it `count` bytes, and lets it go on when they lie in its socket, or as
    /// many of them as its window lets in: the server has one event for them. Waits for the echo.
    func echoOneEvent(
        _ run: CheckRun, _ client: TCPClient, bytes count: Int
    ) throws(CheckFailure) {
        let message = run.random.bytes(count)
        try send(SIGSTOP)
        run.transcript.add("the server is stopped")
        try client.send(message)
        try wait(for: "the bytes to lie in the server's socket") { client.nothingIsUnderWay }
        run.transcript.add("they lie in its socket; the server goes on, and has one event for them")
        try send(SIGCONT)
        try client.receive(message)
    }
}
