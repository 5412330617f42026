// SPDX-License-Identifier: MIT

import Glibc
import Synchronization

/// Every process that descends from `pid`, nearest first. See proc_Int32ask_tid_children(5).
public func descendants(of pid: Int32) -> [Int32] {
    var found: [Int32] = []
    var open = [pid]
    while let parent = open.popLast() {
        for thread in ProcFS(pid: parent).threadIDs() {
            let children = readFile("/proc/\(parent)/task/\(thread)/children") ?? ""
            open += children.split(separator: " ").compactMap { Int32($0) }
        }
        if parent != pid { found.append(parent) }
    }
    return found
}

/// Ends the orphans that this process has adopted (see `adopt_orphans`), and reaps them.
///
/// A server's child that outlives the server is found here, whatever group it has moved to. Its own
/// children are adopted in turn when it ends, so this goes on until nobody is left.
public func killOrphans() {
    while true {
        let known = ChildProcess.running.withLock { $0 }
        let orphans = childrenOfThisProcess().filter { !known.contains($0) }
        if orphans.isEmpty { return }
        let ownGroup = getpgrp()
        for orphan in orphans {
            let group = getpgid(orphan)
            // A group is killed in one step, so that none of it can fork meanwhile.
            if group > 1, group != ownGroup, !known.contains(group) { killpg(group, SIGKILL) }
            Glibc.kill(orphan, SIGKILL)
        }
        for orphan in orphans { waitpid(orphan, nil, 0) }
    }
}

/// How many processes and threads there are on this machine. See /proc/loadavg in proc(5).
func tasksOnThisMachine() -> Int {
    let fields = (readFile("/proc/loadavg") ?? "").split { $0 == " " || $0 == "/" }
    return fields.count > 4 ? Int(fields[4]) ?? 0 : 0
}

private func childrenOfThisProcess() -> [Int32] {
    let own = ProcFS(pid: getpid())
    return own.threadIDs().flatMap { thread in
        (readFile("/proc/\(own.pid)/task/\(thread)/children") ?? "")
            .split(separator: " ").compactMap { Int32($0) }
    }
}
