// SPDX-License-Identifier: MIT

public import Harness

extension UDPClient {
    /// The datagram that asks the server of `nonblocking-udp` how much work it has done.
    public static let question = Array("ticks".utf8)

    /// Asks how many ticks the server has done, and waits for the number.
    public func askForTicks() throws(CheckFailure) -> Int {
        try send(Self.question)
        return try receiveTicks()
    }

    /// Waits for one datagram, and requires that it is a decimal number.
    public func receiveTicks() throws(CheckFailure) -> Int {
        let bytes = try receiveAny("the number of ticks, in decimal")
        let text = String(decoding: bytes, as: UTF8.self)
        guard let number = Int(text), number >= 0, text == "\(number)" else {
            throw CheckFailure(
                expected: "the number of ticks, in decimal, and nothing else",
                found: "a datagram of \(counted(bytes.count, "byte")): \(escaped(bytes))",
                cause: "The datagram `ticks` is the question; the answer is `\\(work.ticks)`.")
        }
        return number
    }
}
