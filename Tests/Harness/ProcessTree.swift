// SPDX-License-Identifier: MIT

import Glibc

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

/// Ends every process that descends from `pid`. One that forks faster than it is killed is stopped
/// first: a stopped process forks no more.
func killDescendants(of pid: Int32) {
    for _ in 0..<1000 {
        let all = descendants(of: pid).filter { ProcFS(pid: $0).state != "Z" }
        if all.isEmpty { return }
        for process in all { Glibc.kill(process, SIGSTOP) }
        for process in all { Glibc.kill(process, SIGKILL) }
    }
}

/// Ends the orphans that this process has adopted (see `adopt_orphans`), and reaps them.
///
/// A server that leaves its process group, or whose child starts a child and ends, is found here.
/// - Parameter known: Children of this process that are none of the orphans.
/// - Returns: How many were still alive.
@discardableResult
public func killOrphans(except known: [Int32] = []) -> Int {
    var killed = 0
    for _ in 0..<1000 {
        let orphans = childrenOfThisProcess().filter { !known.contains($0) }
        if orphans.isEmpty { break }
        for orphan in orphans {
            if ProcFS(pid: orphan).state != "Z" { killed += 1 }
            killDescendants(of: orphan)
            Glibc.kill(orphan, SIGKILL)
            waitpid(orphan, nil, 0)
        }
    }
    return killed
}

private func childrenOfThisProcess() -> [Int32] {
    let own = ProcFS(pid: getpid())
    return own.threadIDs().flatMap { thread in
        (readFile("/proc/\(own.pid)/task/\(thread)/children") ?? "")
            .split(separator: " ").compactMap { Int32($0) }
    }
}
