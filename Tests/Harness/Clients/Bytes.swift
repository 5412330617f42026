// SPDX-License-Identifier: MIT

import CLinux
import Glibc

/// Bytes as a person can read them: `"hello\n"`, `"\x00\xff"`. Of many, the first and their number.
public func escaped(_ bytes: some Collection<UInt8>, limit: Int = 40) -> String {
    let shown = bytes.prefix(limit).map(escaped).joined()
    return bytes.count > limit ? "\"\(shown)\"…" : "\"\(shown)\""
}

private func escaped(_ byte: UInt8) -> String {
    switch byte {
    case 0x0a: return "\\n"
    case 0x0d: return "\\r"
    case 0x09: return "\\t"
    case 0x22: return "\\\""
    case 0x5c: return "\\\\"
    case 0x20...0x7e: return String(UnicodeScalar(byte))
    default:
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count == 1 ? "0" : "") + digits
    }
}

/// A text in which nothing can move the cursor, colour the terminal or end a line of a report.
public func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? "·" : $0 }))
}

/// A count and its noun: `1 byte`, `65,507 bytes`.
public func counted(_ count: Int, _ noun: String) -> String {
    var digits = String(count)
    var end = digits.index(digits.endIndex, offsetBy: -min(3, digits.count))
    while end > digits.startIndex {
        digits.insert(",", at: end)
        end = digits.index(
            end, offsetBy: -min(3, digits.distance(from: digits.startIndex, to: end)))
    }
    return "\(digits) \(noun)\(count == 1 ? "" : "s")"
}

/// Where two byte strings part: two lines, with a mark below the first difference.
package struct Difference {
    package let offset: Int
    package let expected: String
    package let received: String

    /// Nil when `received` is what `expected` has from `start` on.
    package init?(expected: [UInt8], from start: Int = 0, received: [UInt8]) {
        if received.isEmpty { return nil }
        let wanted = Array(expected[start..<start + received.count])
        if memcmp(wanted, received, received.count) == 0 { return nil }
        let part = received.indices.first { expected[start + $0] != received[$0] } ?? 0
        offset = start + part
        // A few bytes before the difference, so that the eye finds the place.
        let lead = max(0, part - 8)
        let before = received[lead..<part].map { Harness.escaped($0) }.joined()
        let mark = String(repeating: " ", count: before.count + 1) + "^ byte \(offset)"
        self.expected = escaped(expected[(start + lead)...], limit: 24)
        self.received = escaped(received[lead...], limit: 24) + "\n" + mark
    }
}

/// The C library's sentence for an error number: `Connection reset by peer (errno 104)`.
public func errorText(_ number: CInt) -> String {
    "\(String(cString: strerror(number))) (errno \(number))"
}

/// A signal's name as kill(1) takes it, with SIG before it: `SIGPIPE`.
public func signalName(_ number: CInt) -> String {
    let names: [CInt: String] = [
        SIGABRT: "SIGABRT", SIGALRM: "SIGALRM", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE",
        SIGHUP: "SIGHUP", SIGILL: "SIGILL", SIGINT: "SIGINT", SIGIO: "SIGIO", SIGKILL: "SIGKILL",
        SIGPIPE: "SIGPIPE", SIGQUIT: "SIGQUIT", SIGSEGV: "SIGSEGV", SIGTERM: "SIGTERM",
        SIGTRAP: "SIGTRAP", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2", SIGXCPU: "SIGXCPU",
        SIGXFSZ: "SIGXFSZ", SIGSTOP: "SIGSTOP", SIGCONT: "SIGCONT", SIGCHLD: "SIGCHLD",
        SIGTSTP: "SIGTSTP", SIGURG: "SIGURG", SIGWINCH: "SIGWINCH",
    ]
    return names[number] ?? "signal \(number)"
}

/// An error number's name: `EAGAIN`. See strerrorname_np(3).
public func errorName(_ number: CInt) -> String {
    // ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK: the kernel's own numbers for
    // a call that a signal ends. A tracer sees them; the program gets EINTR, or makes the call again.
    if (512...516).contains(number) { return "interrupted by a signal" }
    return strerrorname_np(number).map { String(cString: $0) } ?? "errno \(number)"
}
