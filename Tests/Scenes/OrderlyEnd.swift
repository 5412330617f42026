// SPDX-License-Identifier: MIT

import Glibc
public import Harness

/// A server that is told to end, and does so by itself.
extension ServerProcess {
    /// Sends SIGTERM. From now on the server may end, with status 0.
    public func beToldToEnd(_ run: CheckRun) throws(CheckFailure) {
        run.transcript.add("SIGTERM")
        mayEnd = true
        try send(SIGTERM)
    }

    /// Waits until it has ended, and requires status 0.
    /// - Parameter cause: Why it may rest forever instead; nil for the check's hint.
    public func waitForItsEnd(cause: String? = nil) throws(CheckFailure) {
        do {
            try wait(for: "the server to end with status 0") { self.exitStatus != nil }
        } catch  where error.kind == .failed && exitStatus == nil {
            throw CheckFailure(expected: error.expected, found: error.found, cause: cause)
        }
        try requireAlive()
    }
}
