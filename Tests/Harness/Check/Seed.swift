// SPDX-License-Identifier: MIT

/// Random numbers that can be had again: the same seed, the same numbers (SplitMix64).
///
/// A check sends bytes that nobody can know in advance, and a failure prints the seed, so that the
/// same bytes can be sent again with `WORKBOOK_SEED`.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// A sequence of its own for each seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// `count` random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var words: [UInt64] = []
        words.reserveCapacity(count / 8 + 1)
        for _ in 0...count / 8 { words.append(next()) }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    /// A line of `count` letters and its newline, easy to recognise in a report.
    public mutating func line(_ count: Int) -> [UInt8] {
        bytes(count).map { 0x61 + $0 % 26 } + [0x0a]
    }
}
