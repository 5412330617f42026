// SPDX-License-Identifier: MIT

import CLaunch
import CLinux
import Glibc
import Synchronization

/// Traces a program with all its threads and children, and keeps what they did.
///
/// ptrace belongs to a thread, so one thread launches the program, waits for its stops, lets it go on,
/// and reaps it. A seccomp filter stops only the calls of interest; all others run at full speed.
/// See ptrace(2), seccomp(2).
public final class SyscallTrace: Sendable {
    private struct State {
        var events: [TraceEvent] = []
        /// The index of the call that a thread is in, and its voluntary switches when it began.
        var pending: [Int32: (index: Int, switches: Int, injection: Injection?)] = [:]
        var injections: [(injection: Injection, count: Int)] = []
        var endings: [Int32: Int32] = [:]
        var hold: (injection: Injection, count: Int)?
        /// The call before which the server is kept.
        var held: SystemCall?
        /// Threads that are taken back to just before the call that they had begun.
        var rewinding: [Int32: trace_stop] = [:]
        /// Threads that stand there: a signal that comes now comes just before that call.
        var rewound: [Int32: Int32] = [:]
        /// Which descriptor each epoll instance's `data` belongs to.
        var interestLists = InterestLists()
    }

    private let interest: Set<Int32>
    private let state: Mutex<State>
    private let gate = Gate()

    /// Prepares a trace. Beside the calls of interest it keeps those that tell why something went wrong
    /// (close, setsockopt and so on): see `history`.
    /// - Parameter calls: The numbers of the calls of interest, at most 50.
    public init(calls: Set<Int32>) {
        interest = calls
        state = Mutex(State())
    }

    /// Shows a fault from now on: calls that began earlier do not count. Of calls of interest only.
    /// - Parameter lowest: Calls on a lower descriptor do not count; with 3, no log line is hit.
    public func inject(
        _ effect: Injection.Effect, at nth: Int?, of calls: Set<Int32>, from lowest: UInt64 = 0
    ) {
        let injection = Injection(effect: effect, nth: nth, calls: calls, lowest: lowest)
        state.withLock { $0.injections.append((injection, 0)) }
    }

    /// Keeps the server from going on at one call, from now on: it then stands just before the call,
    /// still in its own code, until `release`. What happens meanwhile, a signal too, happens between
    /// the program's last look and its call. Of calls of interest only, and of a server with one
    /// thread: the others would come to rest at their next call of interest.
    public func hold(at nth: Int, of calls: Set<Int32>, from lowest: UInt64 = 0) {
        let moment = Injection(effect: .hold, nth: nth, calls: calls, lowest: lowest)
        state.withLock { $0.hold = (moment, 0) }
    }

    /// Whether the server stands at the call of `hold`.
    public var isHolding: Bool { held != nil }

    /// The call before which the server stands, or nil.
    public var held: SystemCall? { state.withLock { $0.held } }

    /// Lets the server go on, or takes back a `hold` that it has not reached.
    public func release() {
        state.withLock { state in
            state.hold = nil
            if state.held != nil { gate.open() }
            state.held = nil
        }
    }

    /// Lets the server go on from where it is held, up to the next one of these calls.
    public func release(untilNextOf calls: Set<Int32>) {
        state.withLock { state in
            guard state.held != nil else { return }
            // The call before which it stands is made anew and counts, so the second one is meant.
            state.hold = (Injection(effect: .hold, nth: 2, calls: calls, lowest: 0), 0)
            state.held = nil
            gate.open()
        }
    }

    /// What has happened so far, in the order in which it began: the calls of interest, signals, threads.
    public var events: [TraceEvent] {
        history.filter { $0.kind != .call || interest.contains($0.number) }
    }

    /// The same, and the calls that tell: what a failure and a figure show. No check counts them.
    public var history: [TraceEvent] { state.withLock { $0.events } }

    /// Every call with this number so far.
    public func calls(_ number: Int32) -> [TraceEvent] {
        events.filter { $0.kind == .call && $0.number == number }
    }

    /// How a thread or process has ended, as wait(2) gives it, or nil.
    func ending(of thread: Int32) -> Int32? { state.withLock { $0.endings[thread] } }

    /// Launches a program on a thread of its own, which traces it until everything has ended.
    /// - Returns: The pid, or -1 and the reason.
    func launch(_ request: launch_request) -> (pid: Int32, reason: CInt) {
        let launched = Launched(request)
        let interest = self.interest.union(Self.tellingCalls).sorted()
        spawn {
            var request = launched.request
            interest.withUnsafeBufferPointer { numbers in
                request.traced_calls = numbers.baseAddress
                request.traced_count = Int32(numbers.count)
                let pid = CLaunch.launch(&request)
                launched.finish(pid, errno)
            }
            self.follow()
        }
        return launched.wait()
    }

    private func follow() {
        var stop = trace_stop()
        while trace_wait(&stop) == 0 {
            let time = Deadline.nanoseconds()
            switch stop.kind {
            case TRACE_CALL:
                if isHeld(stop) { rewind(stop) } else { begin(stop, time) }
            case TRACE_RETURN: finish(stop, time)
            case TRACE_FORK: add(.start, stop, time, result: stop.result)
            case TRACE_EXEC: add(.exec, stop, time)
            case TRACE_SIGNAL: addSignal(stop, time)
            case TRACE_ENDED:
                add(.end, stop, time)
                state.withLock { $0.endings[stop.thread] = stop.status }
                continue
            case TRACE_STOPPED:
                trace_listen(stop.thread)
                continue
            default: break
            }
            let isInCall = state.withLock { state in
                // A stop in the middle of a call is a switch, too, and no wait of the call's.
                if stop.kind != TRACE_CALL { state.pending[stop.thread]?.switches += 1 }
                return state.pending[stop.thread] != nil || state.rewinding[stop.thread] != nil
            }
            let signal = stop.kind == TRACE_SIGNAL ? stop.signal : 0
            trace_resume(stop.thread, isInCall ? 1 : 0, signal)
        }
    }

    private func add(
        _ kind: TraceEvent.Kind, _ stop: trace_stop, _ time: UInt64, number: Int32 = 0,
        result: Int? = nil
    ) {
        let event = TraceEvent(
            kind: kind, thread: stop.thread, number: number, arguments: [], result: result,
            start: time, end: time)
        state.withLock { $0.events.append(event) }
    }

    private func addSignal(_ stop: trace_stop, _ time: UInt64) {
        add(.signal, stop, time, number: stop.signal)
        state.withLock { state in
            state.events[state.events.count - 1].before = state.rewound[stop.thread]
        }
    }

    private func isHeld(_ stop: trace_stop) -> Bool {
        state.withLock { state in
            guard let hold = state.hold?.injection, hold.hits(stop) else { return false }
            state.hold?.count += 1
            guard state.hold?.count == hold.nth else { return false }
            state.hold = nil
            let values = withUnsafeBytes(of: stop.arguments) {
                Array($0.bindMemory(to: UInt64.self))
            }
            state.held = SystemCall(
                number: Int32(truncatingIfNeeded: stop.number), arguments: values)
            return true
        }
    }

    /// Waits for `release`, and then has the thread make its call anew. At the stop the kernel is already
    /// in the call: a signal would end it with EINTR instead of coming before it.
    private func rewind(_ stop: trace_stop) {
        gate.wait()
        state.withLock { $0.rewinding[stop.thread] = stop }
        trace_skip(stop.thread)
    }

    private func begin(_ stop: trace_stop, _ time: UInt64) {
        let number = Int32(truncatingIfNeeded: stop.number)
        let values = withUnsafeBytes(of: stop.arguments) { Array($0.bindMemory(to: UInt64.self)) }
        let switches = switches(of: stop.thread, at: number)
        let asked = CallMemory.asked(stop, number, values)
        let injection = state.withLock { state in
            state.rewound[stop.thread] = nil
            let injection = nextInjection(stop, &state)
            state.pending[stop.thread] = (state.events.count, switches, injection)
            state.events.append(
                TraceEvent(
                    kind: .call, thread: stop.thread, number: number, arguments: values,
                    start: time, isInjected: injection != nil, asked: asked))
            return injection
        }
        switch injection?.effect {
        case .fail: trace_skip(stop.thread)
        case .shorten(let count): trace_set_argument(stop.thread, 2, UInt(min(count, values[2])))
        case .hold, nil: break
        }
    }

    private func finish(_ stop: trace_stop, _ time: UInt64) {
        if let call = state.withLock({ $0.rewinding.removeValue(forKey: stop.thread) }) {
            state.withLock { $0.rewound[stop.thread] = Int32(truncatingIfNeeded: call.number) }
            trace_repeat(stop.thread, call.number, call.arguments.0)
            return
        }
        state.withLock { state in
            guard let pending = state.pending.removeValue(forKey: stop.thread) else { return }
            let switches = switches(of: stop.thread, at: state.events[pending.index].number)
            var result = stop.result
            let arguments = state.events[pending.index].arguments
            switch pending.injection?.effect {
            case .fail(let reason):
                result = -Int(reason)
                trace_set_result(stop.thread, result)
            // The registers belong to the program: it may count on finding its argument there.
            case .shorten: trace_set_argument(stop.thread, 2, UInt(arguments[2]))
            case .hold, nil: break
            }
            state.events[pending.index].result = result
            state.events[pending.index].answered = CallMemory.answered(
                stop, state.events[pending.index])
            state.events[pending.index].sources = state.interestLists.sources(
                of: state.events[pending.index])
            state.events[pending.index].end = time
            // The stop before the call is one switch; each further one is a wait in the call.
            state.events[pending.index].hasWaited = switches > pending.switches + 1
        }
    }

    private func nextInjection(_ stop: trace_stop, _ state: inout State) -> Injection? {
        var hit: Injection?
        for index in state.injections.indices {
            let injection = state.injections[index].injection
            guard injection.hits(stop) else { continue }
            state.injections[index].count += 1
            let isHit = injection.nth == nil || injection.nth == state.injections[index].count
            if isHit, hit == nil { hit = injection }
        }
        return hit
    }

    /// How often a thread has waited so far. Nobody asks it of the calls that only tell.
    private func switches(of thread: Int32, at number: Int32) -> Int {
        guard interest.contains(number) else { return 0 }
        // Any thread's directory can be reached under /proc by its own id, although none is listed.
        return ProcFS(pid: thread).voluntarySwitches
    }
}
