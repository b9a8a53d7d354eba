/// What random numbers are for. Each purpose has its own stream, so that one more draw here moves nothing there.
public enum RandomPurpose: UInt8, Sendable {
    /// The order of an epoch's videos.
    case epochPermutation = 1
    /// The video in place of one that could not give its frames.
    case replacementVideo = 2
    /// Which frames of a video a sample shows.
    case frames = 3
    /// The boxes cut out of frames.
    case crop = 4
    /// Whether pictures are mirrored.
    case flip = 5
    /// The patches that are hidden.
    case mask = 6
    /// The colours of a view.
    case color = 7
    /// Which branches of a network's blocks a sample leaves out.
    case dropPath = 8
}

/// The random numbers of one purpose of one sample: a pure function of (seed, purpose, ticket, replica, attempt).
public struct RandomStream: Sendable {
    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var words = SIMD4<UInt32>()
    private var used = 4

    /// - Parameters:
    ///   - replica: below 65,536.
    ///   - attempt: below 256.
    public init(seed: UInt64, purpose: RandomPurpose, ticket: Int, replica: Int = 0, attempt: Int = 0) {
        precondition(ticket >= 0 && (0..<65_536).contains(replica) && (0..<256).contains(attempt))
        key = Philox.key(ofSeed: seed)
        counter = SIMD4(
            0, UInt32(truncatingIfNeeded: ticket), UInt32(truncatingIfNeeded: ticket >> 32),
            UInt32(purpose.rawValue) << 24 | UInt32(attempt) << 16 | UInt32(replica)
        )
    }

    /// 32 random bits.
    public mutating func nextUInt32() -> UInt32 {
        if used == 4 {
            words = Philox.block(counter: counter, key: key)
            counter[0] &+= 1
            used = 0
        }
        defer { used += 1 }
        return words[used]
    }

    /// 64 random bits, the low word drawn first.
    public mutating func nextUInt64() -> UInt64 {
        let low = UInt64(nextUInt32())
        return low | UInt64(nextUInt32()) << 32
    }

    /// A whole number in 0..<bound, each exactly as likely as the others.
    ///
    /// Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019.
    public mutating func uniform(below bound: Int) -> Int {
        precondition(bound > 0, "nothing lies below \(bound)")
        let bound = UInt64(bound)
        let unfair = (0 &- bound) % bound
        while true {
            let product = nextUInt64().multipliedFullWidth(by: bound)
            if product.low >= unfair { return Int(product.high) }
        }
    }

    /// A number in [0, 1), a multiple of 2^-53.
    public mutating func uniform01() -> Double {
        Double(nextUInt64() >> 11) * 0x1p-53
    }

    /// A number between two bounds.
    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform01()
    }
}
