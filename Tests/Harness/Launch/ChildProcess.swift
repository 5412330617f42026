// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc
import Synchronization

/// How a process ended.
public enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
    /// It called exit(3) with this status.
    case exited(CInt)
    /// This signal ended it.
    case signalled(CInt)

    /// As a sentence goes on: `ended with status 1`, `was ended by SIGPIPE`.
    public var description: String {
        switch self {
        case .exited(let status): "ended with status \(status)"
        case .signalled(let number): "was ended by \(signalName(number))"
        }
    }
}

/// The bounds of a started program. Zero means: no bound of its own.
public struct Limits: Sendable {
    /// Descriptors that may be open at once.
    public var openFiles: UInt = 0
    /// The bytes that any one file may hold, and so what may be printed to a captured stream.
    public var fileBytes: UInt = 0
    /// Processor time, in seconds.
    public var cpuSeconds: UInt = 0
    /// The stack of the first thread, and of others unless they ask otherwise.
    public var stackBytes: UInt = 0

    /// Bounds in which every field has a default of zero.
    public init(
        openFiles: UInt = 0, fileBytes: UInt = 0, cpuSeconds: UInt = 0, stackBytes: UInt = 0
    ) {
        self.openFiles = openFiles
        self.fileBytes = fileBytes
        self.cpuSeconds = cpuSeconds
        self.stackBytes = stackBytes
    }
}

/// A started program: in a session and process group of its own, ended when this process ends, its
/// two output streams captured in memory.
///
/// The streams are memfds and not pipes: nothing has to be read while the program runs, nothing can
/// block it, and its last words are there after its death. See memfd_create(2).
public final class ChildProcess {
    /// The process id, which is the id of its group too.
    public let pid: Int32
    /// Becomes readable when the process has ended. See pidfd_open(2).
    public let pidfd: CInt
    private let output: CInt
    private let errors: CInt
    private var status: ExitStatus?
    private let trace: SyscallTrace?

    /// Those that this process has started and not yet seen end: none of them is an orphan.
    static let running = Mutex<Set<Int32>>([])

    /// Starts a program.
    /// - Parameters:
    ///   - path: The executable.
    ///   - arguments: Its arguments, without its name.
    ///   - environment: Variables to add to this process's own, or to replace.
    ///   - directory: Where it runs; nil for here.
    ///   - trace: Traces the program from its first instruction on.
    ///   - kept: A descriptor that the program is given as its descriptor 3.
    /// - Throws: `LaunchError` when it cannot be executed.
    public init(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:],
        directory: String? = nil, limits: Limits = Limits(), kept: CInt = -1,
        trace: SyscallTrace? = nil
    ) throws(LaunchError) {
        output = memfd_create("stdout", 1)  // 1 = MFD_CLOEXEC
        errors = memfd_create("stderr", 1)
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(input) }
        let vector = CStrings([path] + arguments)
        let variables = CStrings(Self.environment(adding: environment))
        let pathCopy = strdup(path)
        let directoryCopy = directory.map { strdup($0) } ?? nil
        defer {
            free(pathCopy)
            free(directoryCopy)
        }
        var request = launch_request(
            path: pathCopy, arguments: vector.pointer, environment: variables.pointer,
            directory: directoryCopy, input: input, output: output, error: errors, kept: kept,
            open_files: limits.openFiles, file_bytes: limits.fileBytes,
            cpu_seconds: limits.cpuSeconds,
            stack_bytes: limits.stackBytes, traced_calls: nil, traced_count: 0)
        self.trace = trace
        adopt_orphans()
        let reason: CInt
        if let trace {
            (pid, reason) = trace.launch(request)
        } else {
            pid = launch(&request)
            reason = errno
        }
        pidfd = pid == -1 ? -1 : pidfd_open_call(pid)
        guard pid != -1 else { throw LaunchError(path: path, reason: reason) }
        _ = Self.running.withLock { $0.insert(pid) }
    }

    deinit {
        kill()
        for descriptor in [output, errors, pidfd] { close(descriptor) }
    }

    /// How it ended, or nil while it runs.
    public func exitStatus() -> ExitStatus? {
        if let status { return status }
        var raw: CInt = 0
        if let trace {
            // The tracing thread has waited for it; to wait here would take its stops away from it.
            guard let ending = trace.ending(of: pid) else { return nil }
            raw = ending
        } else {
            guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
        }
        _ = Self.running.withLock { $0.remove(pid) }
        status = WIFSIGNALED(raw) != 0 ? .signalled(WTERMSIG(raw)) : .exited(WEXITSTATUS(raw))
        return status
    }

    /// Waits until it has ended, or until the deadline: then nil.
    public func wait(until deadline: Deadline) -> ExitStatus? {
        while true {
            if let status = exitStatus() { return status }
            if deadline.hasPassed { return nil }
            waitForEnd(milliseconds: deadline.milliseconds(atMost: 1000))
        }
    }

    /// Waits until it has ended, but no longer than this: the step of every loop that watches it.
    public func waitForEnd(milliseconds: CInt) {
        var entry = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, milliseconds)
    }

    /// Ends the process and its group, and waits for its end. What has left the group becomes this
    /// process's own child by that: see `killOrphans`.
    public func kill() {
        guard pid != -1, exitStatus() == nil else { return }
        // The kernel sends to the whole group at once: a fork that is under way is undone.
        killpg(pid, SIGKILL)
        while exitStatus() == nil { waitForEnd(milliseconds: 1000) }
    }

    /// What it has printed so far to standard output.
    public var standardOutput: [UInt8] { contents(of: output, last: 1 << 20) }

    /// What it has printed so far to standard error; of much, the last 1 MiB.
    public var standardError: [UInt8] { contents(of: errors, last: 1 << 20) }

    private func contents(of descriptor: CInt, last: Int) -> [UInt8] {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { return [] }
        let count = min(Int(information.st_size), last)
        var bytes = [UInt8](repeating: 0, count: count)
        let got = pread(descriptor, &bytes, count, information.st_size - off_t(count))
        return Array(bytes.prefix(max(got, 0)))
    }

    private static func environment(adding: [String: String]) -> [String] {
        var all: [String] = []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            let name = text.prefix { $0 != "=" }
            if adding[String(name)] == nil { all.append(text) }
            next += 1
        }
        return all + adding.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}

/// A program could not be started. That is never the learner's fault: it was built a moment ago.
public struct LaunchError: Error, CustomStringConvertible {
    /// The executable's path.
    public let path: String
    /// The `errno` of the step that failed.
    public let reason: CInt
    /// One sentence.
    public var description: String { "\(path) cannot be started: \(errorText(reason))." }
}

/// An array of C strings that ends with a null pointer, as execve(2) takes it.
private final class CStrings {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointer = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointer[index] = strdup(string) }
        pointer[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointer[index]) }
        pointer.deallocate()
    }
}
