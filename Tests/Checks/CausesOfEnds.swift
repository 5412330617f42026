// SPDX-License-Identifier: MIT

import CLinux
import Foundation
import Harness

/// Why a server ended that should serve forever.
extension Evidence {
    var endedBySignal: Cause? {
        guard case .signalled(let number) = end, let meaning = end?.meaning else { return nil }
        let said = facts.words.first { $0.contains("Fatal error") }.map { " It says: \($0)" } ?? ""
        let last = lastCall.map { " Its last call was \($0)." } ?? ""
        return Cause("ended by \(signalName(number))", meaning + said + last)
    }

    var endedAfterFailedCall: Cause? {
        guard case .exited(let status) = end, status != 0 else { return nil }
        guard let (call, name, reason) = failedCall else { return nil }
        let advice = advice(for: name, reason, isDatagram: isDatagram)
        return Cause(
            "ended after \(name) = \(errorName(reason))",
            "\(call) failed with \(errorName(reason)) (\(sentence(reason))), and that ended the "
                + "server. \(advice)")
    }

    var endedAtZero: Cause? {
        guard case .exited = end, let last = calls.last(where: \.isReading), last.result == 0,
            calls.suffix(4).contains(last)
        else { return nil }
        return Cause(
            "ended after a read of 0",
            isDatagram
                ? "\(last.words) gave 0, an empty datagram, and the server ended: serve returned or "
                    + "threw. In UDP 0 bytes are a datagram like any other, and not the end."
                : "\(last.words) gave 0, the end of one client's connection, and the server ended: "
                    + "serve returned or threw. Close that connection, and accept the next.")
    }

    var endedWithoutReason: Cause? {
        guard end == .exited(0), let meaning = end?.meaning else { return nil }
        return Cause(
            "serve returned", meaning + (lastCall.map { " Its last call was \($0)." } ?? ""))
    }

    /// Whether its clients send datagrams.
    var isDatagram: Bool {
        exchange?.isDatagram ?? (!calls.contains(where: \.isAccept) && facts.clients.isEmpty)
    }

    private var lastCall: String? { calls.last.map { "\($0.question) = \($0.answer)" } }

    /// The call that a server has failed with: what it said itself, or its last call if that failed.
    private var failedCall: (words: String, name: String, reason: CInt)? {
        for line in facts.words.reversed() {
            guard let (name, reason) = saidCall(line) else { continue }
            let call = calls.last { $0.reason == reason && $0.hasName(name) }
            // An errno that no call has left: it was read although the call had not failed.
            if call == nil, !calls.isEmpty, isTraced(name) { continue }
            return (call?.words ?? name, call?.call.name ?? name, reason)
        }
        guard let call = calls.suffix(3).last(where: { $0.reason != nil }),
            let reason = call.reason,
            reason < 512
        else { return nil }
        return (call.words, call.call.name, reason)
    }

    private func isTraced(_ name: String) -> Bool {
        CallRow.all.contains { row in
            row.tracing != .onRequest && (row.name.hasPrefix(name) || name.hasPrefix(row.name))
        }
    }

    /// The call and the number in a line like `server: accept: Invalid argument (errno 22)`.
    private func saidCall(_ line: String) -> (name: String, reason: CInt)? {
        let parts = line.components(separatedBy: "(errno ")
        guard parts.count > 1, let number = CInt(parts[1].prefix { $0.isNumber }), number > 0 else {
            return nil
        }
        let words = parts[0].components(separatedBy: ": ")
        guard words.count > 1 else { return nil }
        let name = words[words.count - 2].split(separator: " ").last.map(String.init) ?? ""
        return name.isEmpty ? nil : (name, number)
    }

    private func sentence(_ reason: CInt) -> String { String(cString: strerror(reason)) }
}

extension TraceEvent {
    /// Whether a learner calls it by that name: `accept` may be `accept4`, `send` is `sendto`.
    fileprivate func hasName(_ name: String) -> Bool {
        call.name == name || call.name.hasPrefix(name) || name.hasPrefix(call.name)
    }
}

/// What to do about an error, as a sentence: the same wherever it is met.
func advice(for name: String, _ reason: CInt, isDatagram: Bool) -> String {
    switch reason {
    case EINTR: return "A signal came: EINTR is nobody's fault, so make the call again."
    case EBADF: return "The descriptor is not open: it was closed before, or never opened."
    default: break
    }
    if name.hasPrefix("accept") { return adviceForAccept(reason) }
    if name.hasPrefix("clone") || name == "pthread_create" {
        return
            "There is no thread to be had just now: close this client's connection, and serve the "
            + "others."
    }
    if name == "bind", reason == EADDRINUSE {
        return "Connections of an earlier server keep the port for a minute: SO_REUSEADDR, set "
            + "before bind, allows to use it all the same."
    }
    switch reason {
    case ECONNRESET, EPIPE, ETIMEDOUT:
        return "That is the end of one client: close its socket, and go on with the others."
    case ECONNREFUSED where isDatagram:
        return "An earlier reply has found nobody. That is one sender's loss: go on."
    case EAGAIN:
        return "There is nothing to take, or no room, just now. That is no error: ask again when "
            + "the kernel says so."
    default: break
    }
    if isDatagram, name.hasPrefix("send") {
        return "That reply is lost, as any datagram may be: go on with the next."
    }
    return "Which client, and which call, does it concern? The others must not notice."
}

private func adviceForAccept(_ reason: CInt) -> String {
    switch reason {
    case ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
        ENETUNREACH, EPERM:
        return "It concerns one client, who is lost: take the next."
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        return "There is no room for another client just now: serve those that are there, and "
            + "accept again later."
    case EAGAIN: return "Nobody is waiting. That is no error: accept again when somebody comes."
    default:
        return "accept takes clients from the queue of a socket that bind and listen have prepared."
    }
}
