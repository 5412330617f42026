// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc

/// What the harness may see of a server, and who is at fault when it may not: the server that has
/// ended or hides, or else the machine.
extension ServerProcess {
    /// Throws when the server lets nobody observe it, although this machine permits it.
    ///
    /// The kernel shows the calls, the descriptors and the memory of a process to those who may trace
    /// it, and a process can take that from them: PR_SET_DUMPABLE in prctl(2). What cannot be seen must
    /// not be taken for what is not there.
    func requireObservable() throws(CheckFailure) {
        guard isHidden, machineShowsPrograms else { return }
        throw CheckFailure(
            expected: "a server whose calls and descriptors the kernel shows to the harness",
            found: "it has made itself unobservable: the kernel shows other programs of this user, "
                + "and refuses \(proc.syscallFile)",
            cause: "prctl(PR_SET_DUMPABLE, 0) does that, and so does executing a file that may not "
                + "be read. A server of this course has nothing to hide.")
    }

    /// Whether the kernel refuses to show a server that is running. Of one that is just ending it
    /// shows nothing either.
    private var isHidden: Bool { proc.isHidden && !proc.isExiting && exitStatus == nil }

    /// Why the kernel has refused something about the server.
    /// - Parameter what: What was refused, as in `set a limit`.
    func refusal(_ what: String, _ reason: CInt) -> CheckFailure {
        do {
            try requireAliveNow()
            try requireObservable()
        } catch {
            return error
        }
        if reason == ESRCH {
            return CheckFailure(expected: "a server that goes on serving", found: activity)
        }
        return .notVerified(
            "This machine does not let the harness \(what): \(errorText(reason)).")
    }

    /// A part of the server's memory; nothing for a null pointer. See process_vm_readv(2).
    public func memory(at address: UInt64, count: Int) throws(CheckFailure) -> [UInt8] {
        guard address != 0, count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { buffer in
            var own = iovec(iov_base: buffer.baseAddress, iov_len: count)
            var other = iovec(
                iov_base: UnsafeMutableRawPointer(bitPattern: UInt(address)), iov_len: count)
            return process_vm_readv(proc.pid, &own, 1, &other, 1, 0)
        }
        let reason = errno
        if got == count { return bytes }
        // Less than was asked for: the rest is no memory of the server's.
        guard got == -1, reason != EFAULT else {
            throw CheckFailure(
                expected: "\(counted(count, "byte")) of the server's memory at the address that it "
                    + "gave to the kernel", found: "they are not there any more")
        }
        throw refusal("read a server's memory", reason)
    }
}

extension CheckRun {
    /// Who is at fault, now that the check has come out so: a server that has ended or hides is never
    /// the machine's fault, and a check whose server nobody could observe has not passed.
    /// - Parameter failure: What did not go well; nil when all did.
    public func verdict(on failure: CheckFailure?) -> CheckFailure? {
        do {
            for server in running {
                try server.requireObservable()
                let isBlamed = failure?.kind == .notVerified || failure?.kind == .machine
                if isBlamed { try server.requireAliveNow() }
            }
        } catch {
            return error
        }
        guard failure?.kind == .failed, running.contains(where: { $0.proc.isHidden }) else {
            return failure
        }
        return machineShowsPrograms
            ? failure : .notVerified("This machine does not let the harness observe a server.")
    }

    /// Sees what any user could see. Root's CAP_SYS_PTRACE shows processes that hide, so that a verdict
    /// would depend on who runs the grader. Where nobody else may trace at all, root keeps it.
    static func observeAsAnyUser() {
        let scope = readFile("/proc/sys/kernel/yama/ptrace_scope")?.first?.wholeNumberValue ?? 0
        if geteuid() == 0, scope < 2 { _ = drop_capability(CAP_SYS_PTRACE) }
    }
}

/// Whether this machine shows the harness what a program of its own is doing: one that does nothing.
private let machineShowsPrograms: Bool = {
    guard let program = try? ChildProcess("/bin/sleep", ["600"]) else { return false }
    defer { program.kill() }
    return !ProcFS(pid: program.pid).isHidden
}()
