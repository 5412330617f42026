// SPDX-License-Identifier: MIT

import Glibc

/// The one moment by which a check must be done. Everything in a check that waits, waits for a
/// state of the kernel, and gives up at this moment only.
///
/// `WORKBOOK_TIME_SCALE` (a number, 1 if unset) stretches every deadline, for slow machines.
public struct Deadline: Sendable {
    private let end: UInt64

    /// A moment `seconds` from now, stretched by `WORKBOOK_TIME_SCALE`.
    public init(seconds: Double) {
        end = Self.nanoseconds() + UInt64(seconds * Self.timeScale * 1e9)
    }

    /// Whether the moment has come.
    public var hasPassed: Bool { Self.nanoseconds() >= end }

    /// What poll(2) may wait, in milliseconds: never longer than `step`, never beyond the deadline.
    public func milliseconds(atMost step: CInt) -> CInt {
        let now = Self.nanoseconds()
        guard now < end else { return 0 }
        return min(step, CInt(clamping: (end - now) / 1_000_000 + 1))
    }

    /// The monotonic clock, in nanoseconds. See clock_gettime(2).
    public static func nanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    /// The factor in `WORKBOOK_TIME_SCALE`; 1 if it is unset or not a positive number.
    public static var timeScale: Double {
        guard let text = environmentVariable("WORKBOOK_TIME_SCALE"), let scale = Double(text),
            scale > 0, scale.isFinite
        else { return 1 }
        return scale
    }
}

/// The value of an environment variable, or nil. See getenv(3).
public func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
