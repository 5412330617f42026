import CLinux
import Glibc
import Harness

/// Calls as a trace would have them, for tests that need no server.
func made(
    _ number: Int32, _ arguments: [UInt64], _ result: Int?, isInjected: Bool = false,
    thread: Int32 = 1, asked: [UInt8] = [], answered: [UInt8] = [], sources: [CInt?] = []
) -> TraceEvent {
    TraceEvent(
        kind: .call, thread: thread, number: number,
        arguments: arguments + [UInt64](repeating: 0, count: 6 - arguments.count),
        result: result, start: 0, end: result == nil ? nil : 0, isInjected: isInjected,
        sources: sources, asked: asked, answered: answered)
}

/// One event of epoll_wait as it lies in a server's memory.
func madeEvent(_ events: UInt32, _ data: UInt64) -> [UInt8] {
    var event = epoll_event(events: events, data: epoll_data_t(u64: data))
    return withUnsafeBytes(of: &event) { Array($0) }
}

func read(_ descriptor: UInt64, _ result: Int?, isInjected: Bool = false) -> TraceEvent {
    made(SYS_read, [descriptor, 0, 65_536], result, isInjected: isInjected)
}

func write(_ descriptor: UInt64, of count: UInt64, _ result: Int?) -> TraceEvent {
    made(SYS_write, [descriptor, 0, count], result)
}

func accept(_ result: Int?, isInjected: Bool = false) -> TraceEvent {
    made(SYS_accept, [3], result, isInjected: isInjected)
}

func close(_ descriptor: UInt64, _ result: Int = 0, thread: Int32 = 1) -> TraceEvent {
    made(SYS_close, [descriptor], result, thread: thread)
}
