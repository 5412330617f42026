// SPDX-License-Identifier: MIT

import Glibc

/// Runs a server: reads the port from the command line, opens its socket, announces it, serves.
///
/// Every exercise's `main.swift` is one call of this function. If opening or serving throws, the
/// reason goes to standard error and the exit status is 1.
/// - Parameters:
///   - open: Makes the socket for a port.
///   - serve: Serves on that socket; returns only when the server is to end.
public func runServer(
    open: (UInt16) throws(Errno) -> CInt,
    serve: (CInt) throws(Errno) -> Void
) -> Never {
    let port = portArgument()
    do throws(Errno) {
        let socket = try open(port)
        try announce(socket)
        try serve(socket)
    } catch {
        note("\(programName): \(error)")
        exit(1)
    }
    exit(0)
}

/// Ends a program whose code is still to be written, with exit status 69 (`EX_UNAVAILABLE`).
///
/// The tests and the grader know an exercise that is not started by this status. See sysexits.h.
/// - Parameters:
///   - part: The function that is to be written.
///   - chapter: The Markdown file that explains it, without its ending.
public func unwritten(_ part: String, chapter: String) -> Never {
    note(
        "\(programName): \(part) is not written yet. Read chapters/\(chapter).md, then fill it in.")
    exit(69)
}

private var programName: String {
    CommandLine.arguments[0].split(separator: "/").last.map(String.init) ?? "server"
}

private func portArgument() -> UInt16 {
    let arguments = CommandLine.arguments.dropFirst()
    guard let first = arguments.first else { return 0 }
    guard let port = UInt16(first) else {
        note("\(programName): '\(first)' is not a port. Usage: \(programName) [0...65535]")
        exit(64)
    }
    return port
}
