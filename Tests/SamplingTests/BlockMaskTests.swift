import Foundation
import Sampling
import TestSupport
import Testing

@Suite struct BlockMaskTests {
    /// Reference values; see the README beside them.
    private struct Values: Decodable {
        struct Case: Decodable {
            let rule: String
            let height, width: Int
            let ratio: Double?
            let count, smallest: Int?
        }
        struct Config: Decodable { let cases: [Case] }
        /// A number, or the patches that were free in the end, shuffled.
        struct Drawn: Decodable {
            let numbers: [Double]
            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                numbers = try (try? [value.decode(Double.self)]) ?? value.decode([Double].self)
            }
        }
        struct Worked: Decodable {
            let index: Int
            let draws: [Drawn]
            let mask: [String]
            enum CodingKeys: String, CodingKey {
                case index = "case"
                case draws, mask
            }
        }
        struct Statistics: Decodable {
            let index, draws: Int
            let mean, deviation, shareEmpty: Double
            let frequencies: [[Double]]
            enum CodingKeys: String, CodingKey {
                case index = "case"
                case mean = "mean_count"
                case deviation = "sd_count"
                case shareEmpty = "share_empty"
                case frequencies = "cell_frequency"
                case draws
            }
        }
        let config: Config
        let worked: [Worked]
        let statistics: [Statistics]
    }

    private static let path = Shared.folder.map { $0 + "/golden/recipes/block-masks.json" }

    private static func values() throws -> Values {
        try JSONDecoder().decode(Values.self, from: Data(contentsOf: URL(fileURLWithPath: path!)))
    }

    /// Numbers that were drawn before, in their order.
    private struct Replay: BlockMaskSource {
        var draws: [Double]
        mutating func number(from start: Double, to end: Double) -> Double { draws.removeFirst() }
        mutating func uniform(below bound: Int) -> Int { Int(draws.removeFirst()) }
        mutating func choose(_ count: Int, of patches: [Int]) -> [Int] {
            defer { if count > 0 { draws.removeAll() } }
            return draws.prefix(count).map { Int($0) }
        }
    }

    private static func rule(_ values: Values.Case, _ ratio: Double? = nil) -> BlockMask {
        values.count.map { .exactly($0, rows: values.height, columns: values.width, smallest: values.smallest!) }
            ?? .upTo(ratio: values.ratio!, rows: values.height, columns: values.width)
    }

    @Test(.enabled(if: path != nil, "TANDEM_SHARED names no folder of reference values"))
    func drawsThatWereWorkedOut() throws {
        let values = try Self.values()
        #expect(values.worked.count == 27)
        for worked in values.worked {
            var replay = Replay(draws: worked.draws.flatMap(\.numbers))
            let mask = Self.rule(values.config.cases[worked.index]).draw(from: &replay)
            #expect(mask == worked.mask.joined().utf8.map { $0 - UInt8(ascii: "0") }, "case \(worked.index)")
            #expect(replay.draws.isEmpty, "case \(worked.index)")
        }
    }

    /// The bounds are the README's; the last case is iBOT's whole recipe, as its sampler draws it.
    @Test(.enabled(if: path != nil, "TANDEM_SHARED names no folder of reference values"))
    func manyDrawsAreAsTheReferences() throws {
        let values = try Self.values()
        let count = 4000
        for expected in values.statistics {
            let known = values.config.cases[expected.index]
            var frequencies = [Double](repeating: 0, count: known.height * known.width)
            var counts: [Int] = []
            for ticket in 0..<count {
                var stream = RandomStream(seed: 9, purpose: .mask, ticket: ticket)
                let mask: [UInt8]
                if known.rule == "ibot-recipe" {
                    let draw = Draw(seed: 9, ticket: ticket, record: videoRecord(times: [0, 1], timeBase: Rational(1, 30)))
                    mask = try withSample(of: MultiCropSampler { $0.sampling.localCrops = 0 }, draw) { sample, _ in
                        Array(sample.bytes("mask")![..<196])
                    }
                } else {
                    mask = Self.rule(known).draw(from: &stream)
                }
                counts.append(mask.count { $0 == 1 })
                for (cell, value) in mask.enumerated() { frequencies[cell] += Double(value) / Double(count) }
            }
            if let wanted = known.count { #expect(counts.allSatisfy { $0 == wanted }) }
            if let ratio = known.ratio { #expect(counts.max()! <= Int(ratio * Double(known.height * known.width))) }
            let mean = Double(counts.reduce(0, +)) / Double(count)
            let sampling = (1 / Double(count) + 1 / Double(expected.draws)).squareRoot()
            #expect(abs(mean - expected.mean) <= 5 * expected.deviation * sampling, "case \(expected.index): \(mean)")
            let empty = Double(counts.count { $0 == 0 }) / Double(count)
            #expect(abs(empty - expected.shareEmpty) <= 5 * 0.5 * sampling, "case \(expected.index): \(empty)")
            let bound = 5 * (2 * 0.25 / Double(min(count, 6000))).squareRoot() + 0.001
            for (cell, frequency) in expected.frequencies.joined().enumerated() {
                #expect(abs(frequencies[cell] - frequency) <= bound, "case \(expected.index), patch \(cell): \(frequencies[cell])")
            }
        }
    }

    /// As above without reference values: how many patches are hidden, in rectangles, also where there is hardly room for one.
    @Test(arguments: [(14, 14), (8, 5), (3, 9), (2, 2), (1, 4), (1, 1)]) func countsAreKept(rows: Int, columns: Int) {
        let patches = rows * columns
        for ticket in 0..<300 {
            var stream = RandomStream(seed: 2, purpose: .mask, ticket: ticket)
            let ratio = Double(ticket % 10) / 10
            let some = BlockMask.upTo(ratio: ratio, rows: rows, columns: columns).draw(from: &stream)
            #expect(some.count == patches && some.count { $0 == 1 } <= Int(ratio * Double(patches)))
            #expect(some.allSatisfy { $0 <= 1 })
            let wanted = ticket % (patches + 1)
            let exact = BlockMask.exactly(wanted, rows: rows, columns: columns).draw(from: &stream)
            #expect(exact.count == patches && exact.count { $0 == 1 } == wanted && exact.count { $0 == 0 } == patches - wanted)
        }
    }

    /// Nearly all hidden patches have a hidden neighbour, as they lie in rectangles.
    @Test func hiddenPatchesLieTogether() {
        var (alone, hidden) = (0, 0)
        for ticket in 0..<200 {
            var stream = RandomStream(seed: 2, purpose: .mask, ticket: ticket)
            let mask = BlockMask.upTo(ratio: 0.3, rows: 14, columns: 14).draw(from: &stream)
            for patch in mask.indices where mask[patch] == 1 {
                hidden += 1
                let (row, column) = (patch / 14, patch % 14)
                let beside = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
                    .filter { (0..<14).contains($0.0) && (0..<14).contains($0.1) }
                if beside.allSatisfy({ mask[$0.0 * 14 + $0.1] == 0 }) { alone += 1 }
            }
        }
        // A random set of 30 % would leave a quarter alone.
        #expect(hidden > 200 * 50 && alone * 100 < hidden)
    }
}
