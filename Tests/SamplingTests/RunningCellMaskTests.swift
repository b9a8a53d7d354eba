import Sampling
import Testing

@Suite struct RunningCellMaskTests {
    /// Known answers, a word for each of five steps: rules.json of the golden recipes, "running cell mask", 4 rows of 6 places.
    @Test(arguments: [
        (
            0.25, 1,
            "000000101010000000101010 010101000000010101000000 101010000000101010000000 000000010101000000010101 000000101010000000101010"
        ),
        (
            0.5, 0,
            "101010010101101010010101 000000111111000000111111 010101101010010101101010 111111000000111111000000 101010010101101010010101"
        ),
        (
            0.5, 1,
            "000000111111000000111111 010101101010010101101010 111111000000111111000000 101010010101101010010101 000000111111000000111111"
        ),
        (
            0.5, 2,
            "010101101010010101101010 111111000000111111000000 101010010101101010010101 000000111111000000111111 010101101010010101101010"
        ),
        (
            0.5, 3,
            "111111000000111111000000 101010010101101010010101 000000111111000000111111 010101101010010101101010 111111000000111111000000"
        ),
        (
            0.75, 3,
            "111111101010111111101010 111111010101111111010101 101010111111101010111111 010101111111010101111111 111111101010111111101010"
        ),
    ]) func agreesWithThePublishedGenerator(ratio: Double, start: Int, expected: String) {
        let mask = RunningCellMask.mask(start: start, steps: 5, rows: 4, columns: 6, ratio: ratio)
        let steps = stride(from: 0, to: 120, by: 24).map { first in mask[first..<first + 24].map { "\($0)" }.joined() }
        #expect(steps.joined(separator: " ") == expected)
    }

    private func draw(_ sampler: ClipSampler, ticket: Int, replica: Int = 0) throws -> (views: [View], mask: [UInt8], decoded: [UInt8]) {
        let record = videoRecord(times: (0..<300).map { $0 }, timeBase: Rational(1, 30))
        return try withSample(of: sampler, Draw(seed: 1, ticket: ticket, replica: replica, record: record)) { sample, _ in
            #expect(sample.matches(SampleLayout(sampler.arrays)))
            return (sample.views, Array(sample.bytes("mask")!), Array(sample.bytes("decoded")!))
        }
    }

    /// rules.json, "videomae-v2 16x224/2x16": of 784 that are decoded 704 are hidden, whatever the masks. Each of the four masks comes as often.
    @Test func countsAreThePublishedOnes() throws {
        let sampler = ClipSampler { $0.decoderRatio = 0.5 }
        let known = (0..<4).map { RunningCellMask.mask(start: $0, steps: 8, rows: 14, columns: 14, ratio: 0.5) }
        var starts = [0, 0, 0, 0]
        for ticket in 0..<400 {
            let (_, mask, decoded) = try draw(sampler, ticket: ticket)
            #expect(decoded.count { $0 == 0 } == 784)
            #expect(zip(mask, decoded).count { $0 == 1 && $1 == 0 } == 704)
            starts[try #require(known.firstIndex(of: decoded))] += 1
        }
        // 100 each with a deviation of 9.
        #expect(starts.allSatisfy { abs($0 - 100) < 45 })
    }

    /// One visit to a video: the same frames, cut and masked anew.
    @Test func samplesOfAVisitShareTheirFrames() throws {
        let sampler = ClipSampler { ($0.sharesFrames, $0.decoderRatio, $0.sampling.repeatedSampling) = (true, 0.5, 4) }
        var crops: Set<String> = []
        for ticket in 0..<20 {
            let all = try (0..<4).map { try draw(sampler, ticket: ticket, replica: $0) }
            #expect(Set(all.map { $0.views.map(\.frame) }).count == 1 && Set(all.map(\.mask)).count == 4)
            for sample in all { crops.insert("\(ticket) \(sample.views[0].box)") }
        }
        // Of 130 crops four are now and then alike.
        #expect(crops.count > 60)
    }
}
