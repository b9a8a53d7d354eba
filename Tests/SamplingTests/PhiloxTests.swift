import Sampling
import Testing

@Suite struct PhiloxTests {
    /// The known answers that the generator's authors publish (Random123, `tests/kat_vectors`, "philox4x32 10").
    @Test(arguments: [
        (SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0), SIMD4<UInt32>(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)),
        (
            SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
            SIMD4<UInt32>(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
        ),
        (
            SIMD4<UInt32>(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), SIMD2<UInt32>(0xA409_3822, 0x299F_31D0),
            SIMD4<UInt32>(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
        ),
    ])
    func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, expected: SIMD4<UInt32>) {
        #expect(Philox.block(counter: counter, key: key) == expected)
    }

    @Test func aStreamIsTheBlocksOfItsCounter() {
        var stream = RandomStream(seed: 0x0000_0002_0000_0001, purpose: .crop, ticket: 0x0000_0004_0000_0003, replica: 6, attempt: 5)
        for block in 0..<3 as Range<UInt32> {
            let words = Philox.block(counter: SIMD4(block, 3, 4, 0x0405_0006), key: SIMD2(1, 2))
            for index in 0..<4 { #expect(stream.nextUInt32() == words[index]) }
        }
    }

    @Test func everyPartOfTheKeyMatters() {
        func first(_ seed: UInt64, _ purpose: RandomPurpose, _ ticket: Int, _ replica: Int, _ attempt: Int) -> UInt64 {
            var stream = RandomStream(seed: seed, purpose: purpose, ticket: ticket, replica: replica, attempt: attempt)
            return stream.nextUInt64()
        }
        let draws = [
            first(1, .crop, 1, 1, 1), first(2, .crop, 1, 1, 1), first(1 << 40, .crop, 1, 1, 1), first(1, .flip, 1, 1, 1),
            first(1, .crop, 2, 1, 1), first(1, .crop, 1 + 1 << 40, 1, 1), first(1, .crop, 1, 2, 1), first(1, .crop, 1, 1, 2),
        ]
        #expect(Set(draws).count == draws.count)
    }

    /// Chi-square over 7 values of 70,000 draws: 6 degrees of freedom exceed 22.46 once in a thousand; the draws are fixed.
    @Test func uniformNumbersAreEven() {
        var stream = RandomStream(seed: 7, purpose: .crop, ticket: 0)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[stream.uniform(below: 7)] += 1 }
        let chiSquare = counts.reduce(0.0) { $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000 }
        #expect(chiSquare < 22.46)
    }

    /// Two thirds of 2^63: taking the remainder or the high word without rejection would visibly favour some thirds.
    @Test func largeBoundsAreEven() {
        var stream = RandomStream(seed: 8, purpose: .crop, ticket: 0)
        let bound = Int.max / 3 * 2
        var counts = [0, 0, 0, 0]
        for _ in 0..<40_000 { counts[stream.uniform(below: bound) / (bound / 4 + 1)] += 1 }
        for count in counts { #expect(abs(count - 10_000) < 350) }
    }

    @Test func fractionsFillTheUnitInterval() {
        var stream = RandomStream(seed: 9, purpose: .flip, ticket: 0)
        let draws = (0..<20_000).map { _ in stream.uniform01() }
        #expect(draws.allSatisfy { $0 >= 0 && $0 < 1 })
        let mean = draws.reduce(0, +) / 20_000
        let meanSquare = draws.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean - 0.5) < 0.01)
        #expect(abs(meanSquare - 1.0 / 3) < 0.01)
    }
}
