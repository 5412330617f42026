/// What the server has to do besides serving: it estimates π, and is never done.
///
/// It throws random points into a square and counts those that fall into the circle. One `tick` is
/// a small piece of that, some ten microseconds long. A datagram that comes meanwhile waits for it.
struct Work {
    /// How many pieces have been done.
    private(set) var ticks = 0
    private var inside = 0
    private var random: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The estimate so far.
    var pi: Double { ticks == 0 ? 0 : 4 * Double(inside) / Double(ticks * Self.points) }

    private static let points = 250

    /// Does one piece.
    mutating func tick() {
        for _ in 0..<Self.points {
            // Marsaglia's xorshift: three shifts make the next random number.
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            let x = Double(random >> 32) / 4_294_967_296
            let y = Double(random & 0xffff_ffff) / 4_294_967_296
            if x * x + y * y < 1 { inside += 1 }
        }
        ticks += 1
    }
}
