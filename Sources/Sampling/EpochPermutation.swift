/// The order in which one epoch visits the videos: a bijection of 0..<count computed item by item, so memory does not grow with the count.
///
/// A balanced Feistel network, whose round function is Philox, permutes the smallest power of four that holds the count; positions
/// outside are walked through until one falls inside (on average fewer than four steps).
/// Source: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002.
public struct EpochPermutation: Sendable {
    /// Items, which are the numbers 0 ..< count.
    public let count: Int
    private let key: SIMD2<UInt32>
    private let epoch: Int
    private let halfBits: Int

    /// - Parameter count: at least 1.
    public init(count: Int, seed: UInt64, epoch: Int) {
        precondition(count > 0 && epoch >= 0, "a permutation of \(count) items in epoch \(epoch)")
        self.count = count
        self.epoch = epoch
        key = Philox.key(ofSeed: seed)
        let bits = Int.bitWidth - (count - 1).leadingZeroBitCount
        // Tiny domains get two bits a half: with one, a network reaches few of their permutations.
        halfBits = max(2, (bits + 1) / 2)
    }

    /// The item at a position.
    public subscript(position: Int) -> Int {
        precondition((0..<count).contains(position), "position \(position) of \(count)")
        var value = permuted(position)
        while value >= count { value = permuted(value) }
        return value
    }

    private func permuted(_ value: Int) -> Int {
        let mask = UInt32((1 << halfBits) - 1)
        var left = UInt32(truncatingIfNeeded: value >> halfBits)
        var right = UInt32(truncatingIfNeeded: value) & mask
        for round in 0..<8 {
            let counter = SIMD4(
                right, UInt32(truncatingIfNeeded: epoch), UInt32(truncatingIfNeeded: epoch >> 32),
                UInt32(RandomPurpose.epochPermutation.rawValue) << 24 | UInt32(round)
            )
            (left, right) = (right, left ^ (Philox.block(counter: counter, key: key)[0] & mask))
        }
        return Int(left) << halfBits | Int(right)
    }
}
