// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// What the kernel tells about a process under /proc. See proc(5).
///
/// Every reader gives an empty answer for a process that has just ended: that is a state, no error.
public struct ProcFS: Sendable {
    /// The process.
    public let pid: Int32

    /// The view of a process, whether it still exists or not.
    public init(pid: Int32) { self.pid = pid }

    /// What a thread is doing at one moment.
    public struct Thread: Equatable, Sendable {
        /// The thread's id; the first thread has the id of the process.
        public let id: Int32
        /// The call that it is blocked in, or nil when it runs or is about to.
        public let call: SystemCall?
        /// How often it has given up the processor of itself: a thread that stays parked keeps it.
        public let voluntarySwitches: Int
    }

    /// The ids of its threads.
    public func threadIDs() -> [Int32] { directory("/proc/\(pid)/task").compactMap { Int32($0) } }

    /// Its threads and what each is blocked in.
    public func threads() -> [Thread] {
        threadIDs().compactMap { id in
            let folder = "/proc/\(pid)/task/\(id)"
            guard let text = readFile("\(folder)/syscall") else { return nil }
            let status = readFile("\(folder)/status") ?? ""
            // A thread that its tracer has stopped at a call is not waiting in that call.
            let sleeps = status.contains("State:\tS") || status.contains("State:\tD")
            return Thread(
                id: id, call: sleeps ? SystemCall(text) : nil,
                voluntarySwitches: number("voluntary_ctxt_switches", in: status) ?? 0)
        }
    }

    /// Its open descriptors: number and what it leads to, as in `3 → socket:[56664]`.
    public func descriptors() -> [CInt: String] {
        var found: [CInt: String] = [:]
        for name in directory("/proc/\(pid)/fd") {
            guard let number = CInt(name) else { continue }
            var buffer = [CChar](repeating: 0, count: 256)
            let count = readlink("/proc/\(pid)/fd/\(name)", &buffer, buffer.count)
            guard count > 0 else { continue }
            let bytes = buffer.prefix(count).map { UInt8(bitPattern: $0) }
            found[number] = String(decoding: bytes, as: UTF8.self)
        }
        return found
    }

    /// The file status flags of a descriptor, as in `O_NONBLOCK`. See proc_pid_fdinfo(5).
    public func flags(of descriptor: CInt) -> CInt? {
        guard let text = readFile("/proc/\(pid)/fdinfo/\(descriptor)") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags:") }
        return line.flatMap { CInt($0.dropFirst(6).drop { $0 == "\t" || $0 == " " }, radix: 8) }
    }

    /// What an epoll descriptor watches, as the kernel lists it; nil if it is none. Beside what was asked
    /// for, `events` has EPOLLERR and EPOLLHUP, which always come. See proc_pid_fdinfo(5).
    public func interestList(of epoll: CInt) -> [Interest]? {
        guard let text = readFile("/proc/\(pid)/fdinfo/\(epoll)"),
            descriptors()[epoll]?.contains("eventpoll") == true
        else { return nil }
        return text.split(separator: "\n").filter { $0.hasPrefix("tfd:") }.compactMap { line in
            let words = line.split { $0 == " " || $0 == ":" }
            guard words.count >= 6, let descriptor = CInt(words[1]),
                let events = UInt32(words[3], radix: 16), let data = UInt64(words[5], radix: 16)
            else { return nil }
            return Interest(descriptor: descriptor, events: events, data: data)
        }
    }

    /// Its epoll descriptors.
    public func epollDescriptors() -> [CInt] {
        descriptors().filter { $0.value.contains("eventpoll") }.map(\.key).sorted()
    }

    /// One letter: R running, S sleeping, T stopped, Z ended and not yet waited for; nil when gone.
    public var state: Character? {
        guard let text = readFile("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        return text[end...].dropFirst(2).first
    }

    /// Whether it is on its way out: the kernel closes its descriptors then, which its clients
    /// notice, before anybody can wait for its end. The ninth field is the kernel's flags, and
    /// PF_EXITING is 4. One that is no longer there has ended; its tracer may not have said so yet.
    var isExiting: Bool {
        guard let text = readFile("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
            return true
        }
        let fields = text[end...].split(separator: " ")
        return fields.count > 7 && (Int(fields[7]) ?? 0) & 4 != 0
    }

    /// What its first thread is blocked in, for those who may trace it. See proc_pid_syscall(5).
    var syscallFile: String { "/proc/\(pid)/syscall" }

    /// Whether the kernel refuses to show what it is doing. See PTRACE_MODE_ATTACH in ptrace(2).
    var isHidden: Bool {
        let descriptor = open(syscallFile, O_RDONLY | O_CLOEXEC)
        guard descriptor != -1 else { return errno == EACCES || errno == EPERM }
        defer { close(descriptor) }
        var byte: UInt8 = 0
        return read(descriptor, &byte, 1) == -1 && (errno == EACCES || errno == EPERM)
    }

    /// The nanoseconds that its threads have spent on a processor. See proc_pid_schedstat(5).
    public var cpuNanoseconds: Int {
        threadIDs().reduce(0) { sum, id in
            let text = readFile("/proc/\(pid)/task/\(id)/schedstat") ?? ""
            return sum + (text.split(separator: " ").first.flatMap { Int($0) } ?? 0)
        }
    }

    /// How often its first thread has given up the processor of itself.
    var voluntarySwitches: Int {
        field("voluntary_ctxt_switches", of: "/proc/\(pid)/status") ?? 0
    }

    /// The memory that it has in use, in bytes (VmRSS).
    public var residentBytes: Int { (field("VmRSS", of: "/proc/\(pid)/status") ?? 0) * 1024 }

    /// The address space that it has reserved, in bytes (VmSize). Stacks count whether used or not.
    public var virtualBytes: Int { (field("VmSize", of: "/proc/\(pid)/status") ?? 0) * 1024 }

    private func field(_ name: String, of path: String) -> Int? {
        number(name, in: readFile(path) ?? "")
    }

    private func number(_ name: String, in text: String) -> Int? {
        let lines = text.split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(name + ":") }) else { return nil }
        return Int(line.dropFirst(name.count + 1).filter(\.isNumber))
    }
}

/// The whole text of a file, or nil when it cannot be read. What is no UTF-8 is repaired.
public func readFile(_ path: String) -> String? {
    readBytes(path).map { String(decoding: $0, as: UTF8.self) }
}

/// All bytes of a file, or nil when it cannot be read. Made for /proc, where files have no
/// size.
func readBytes(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor != -1 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count == -1 { return nil }
        if count == 0 { return bytes }
        bytes += chunk.prefix(count)
    }
}

/// The names in a directory, or none when it cannot be read. A name that is no UTF-8 is repaired.
public func directory(_ path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names
}
