// SPDX-License-Identifier: MIT

import Glibc

/// Runs a server with one socket: reads the port from the command line, opens the socket, announces
/// it, serves.
///
/// Every exercise's `main.swift` is one call of a `runServer`. If opening or serving throws, the
/// reason goes to standard error and the exit status is 1.
/// - Parameters:
///   - open: Makes the socket for a port.
///   - serve: Serves on that socket; returns only when the server is to end.
public func runServer(
    open: (UInt16) throws(Errno) -> CInt,
    serve: (CInt) throws(Errno) -> Void
) -> Never {
    runServer(
        open: { port, _ throws(Errno) in ([try open(port)], ()) },
        serve: { sockets, _ throws(Errno) in try serve(sockets[0]) })
}

/// Runs a server with several sockets or with options.
/// - Parameters:
///   - options: The options that it takes, each followed by a value: `["--room"]`.
///   - open: Makes the sockets for a port, and whatever else `serve` needs. The first socket is
///     the one that is announced.
///   - serve: Serves on those sockets; returns only when the server is to end.
public func runServer<Context>(
    options: [String] = [],
    open: (UInt16, Options) throws(Errno) -> (sockets: [CInt], context: Context),
    serve: ([CInt], Context) throws(Errno) -> Void
) -> Never {
    let (port, options) = commandLine(options)
    do throws(Errno) {
        let (sockets, context) = try open(port, options)
        try announce(sockets[0])
        try serve(sockets, context)
    } catch {
        note("\(programName): \(error)")
        exit(1)
    }
    exit(0)
}

/// The options of a server's command line, and their values.
public struct Options {
    fileprivate var values: [String: String] = [:]

    /// The value of an option that the server cannot do without. Without it the program says so, and
    /// ends with status 64 (`EX_USAGE`). See sysexits.h.
    public func required(_ name: String) -> String {
        guard let value = values[name] else { endWithUsage("it needs the option \(name)", [name]) }
        return value
    }
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

/// Takes `[PORT] [OPTION VALUE]…` apart.
private func commandLine(_ names: [String]) -> (port: UInt16, options: Options) {
    var words = CommandLine.arguments.dropFirst()
    var port: UInt16 = 0
    var options = Options()
    if let first = words.first, !first.hasPrefix("--") {
        guard let number = UInt16(first) else { endWithUsage("'\(first)' is not a port", names) }
        port = number
        words.removeFirst()
    }
    while let name = words.popFirst() {
        guard names.contains(name) else { endWithUsage("it has no option '\(name)'", names) }
        guard let value = words.popFirst() else { endWithUsage("\(name) needs a value", names) }
        options.values[name] = value
    }
    return (port, options)
}

private func endWithUsage(_ problem: String, _ names: [String]) -> Never {
    let options = names.map { " \($0) \($0.dropFirst(2).uppercased())" }.joined()
    note("\(programName): \(problem). Usage: \(programName) [0...65535]\(options)")
    exit(64)
}
