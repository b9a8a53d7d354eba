import Base
import Sampling
import Testing

/// Several futures of one past frame, and several pasts of one future frame.
@Suite struct SeveralFramesTests {
    private func record(frames: Int, spacing: Int64 = 1, damaged: [Int] = []) -> VideoRecord {
        var record = videoRecord(times: (0..<Int64(frames)).map { $0 * spacing }, timeBase: Rational(1, 30))
        record.damagedFrames = damaged
        return record
    }

    private func draw(
        _ record: VideoRecord, pasts: Int = 1, futures: Int = 1, gap: ClosedRange<Int> = 4...48, ticket: Int
    ) -> [Timeline.Point] {
        var stream = RandomStream(seed: 1, purpose: .frames, ticket: ticket)
        return Timeline(of: record, rate: 30).drawFrames(pasts: pasts, futures: futures, gap: gap, from: &stream)
    }

    /// By a Python program that follows the documentation alone: Philox, Lemire's numbers, gaps taken out of the list of all.
    @Test(arguments: [
        (300, 1, 3, [[192, 200, 203, 222], [97, 106, 109, 111], [10, 24, 28, 54]]),
        (300, 3, 1, [[192, 211, 214, 222], [97, 99, 102, 111], [10, 36, 40, 54]]),
        (30, 1, 3, [[0, 8, 11, 29], [5, 14, 17, 19], [0, 14, 18, 29]]), (30, 3, 1, [[0, 18, 21, 29], [5, 7, 10, 19], [0, 11, 15, 29]]),
    ]) func drawsAreAsWorkedOut(frames: Int, pasts: Int, futures: Int, expected: [[Int]]) {
        let drawn = expected.indices.map { draw(record(frames: frames), pasts: pasts, futures: futures, ticket: $0) }
        #expect(drawn.map { $0.map(\.tick) } == expected)
        #expect(drawn.map { $0.map(\.frame) } == expected)
    }

    /// Two of five gaps: ten sets, each as often as the others, and every start that fits.
    @Test func everySetOfGapsIsAsLikely() {
        var (sets, starts) = ([[Int]: Int](), [Int](repeating: 0, count: 20))
        for ticket in 0..<20_000 {
            let ticks = draw(record(frames: 20), futures: 2, gap: 3...7, ticket: ticket).map(\.tick)
            sets[ticks[1...].map { $0 - ticks[0] }, default: 0] += 1
            starts[ticks[0]] += 1
        }
        let expected = Set((3...6).flatMap { first in (first + 1...7).map { [first, $0] } })
        #expect(Set(sets.keys) == expected)
        for (gaps, count) in sets { #expect(abs(count - 2000) < 200, "\(gaps) came \(count) times") }
        // The largest gap is 4 to 7: the starts 0 to 12 fit always, 15 with a largest gap of 4 alone.
        #expect(starts[16...].allSatisfy { $0 == 0 } && starts[..<16].allSatisfy { $0 > 0 })
    }

    /// Videos that are too short for the gaps: the largest that fit, growing while there are frames for it.
    @Test(arguments: [
        (6, 1, 3, [0, 3, 4, 5]), (6, 3, 1, [0, 1, 2, 5]), (4, 1, 3, [0, 1, 2, 3]), (4, 3, 1, [0, 1, 2, 3]), (3, 1, 3, [0, 1, 2, 2]),
        (3, 3, 1, [0, 1, 1, 2]), (2, 1, 3, [0, 1, 1, 1]), (2, 3, 1, [0, 0, 0, 1]),
    ]) func shortVideosGiveTheLargestGapsThatFit(frames: Int, pasts: Int, futures: Int, expected: [Int]) {
        for ticket in 0..<50 {
            let drawn = draw(record(frames: frames), pasts: pasts, futures: futures, gap: 30...48, ticket: ticket)
            #expect(drawn.map(\.frame) == expected)
            #expect(drawn.last!.tick == frames - 1 && drawn[0].tick == 0)
        }
    }

    /// Slow videos, videos of which all frames lie within a tick, and damage: frames grow, and none is damaged.
    @Test(
        arguments: [
            (40, 15, []), (9, 15, []), (5, 15, [2]), (300, 1, Array(100..<200)), (60, 1, Array(stride(from: 0, to: 60, by: 2))),
            (20, 1, [0]), (20, 1, [19]), (12, 1, Array(4..<10)), (7, 15, [0, 6]),
        ] as [(Int, Int64, [Int])], [(1, 3), (3, 1)])
    func framesGrow(video: (frames: Int, spacing: Int64, damaged: [Int]), counts: (pasts: Int, futures: Int)) {
        let record = record(frames: video.frames, spacing: video.spacing, damaged: video.damaged)
        #expect(record.fault == nil)
        for ticket in 0..<1000 {
            let frames = draw(record, pasts: counts.pasts, futures: counts.futures, gap: 1...6, ticket: ticket).map(\.frame)
            #expect(frames[0] >= 0 && frames[3] < video.frames && zip(frames, frames.dropFirst()).allSatisfy { $0 < $1 }, "\(frames)")
            #expect(!frames.contains { video.damaged.contains($0) }, "\(frames)")
        }
    }

    /// Where fewer frames are intact than a sample has, past and future still differ.
    @Test(arguments: [(1, 3, [1, 3, 3, 3]), (3, 1, [1, 1, 1, 3])]) func tooFewIntactFramesAreRepeated(
        pasts: Int, futures: Int, expected: [Int]
    ) {
        let record = record(frames: 4, damaged: [0, 2])
        for ticket in 0..<50 { #expect(draw(record, pasts: pasts, futures: futures, ticket: ticket).map(\.frame) == expected) }
    }

    private func sampler(pasts: Int = 1, futures: Int = 1, _ change: (inout FramePairSampler) -> Void = { _ in }) -> FramePairSampler {
        FramePairSampler {
            ($0.sampling.imageSize, $0.patchSize, $0.mask.ratio) = (32, 8, 0.875)
            ($0.sampling.pasts, $0.sampling.futures) = (pasts, futures)
            change(&$0)
        }
    }

    private func geometry(_ sampler: FramePairSampler, _ ticket: Int) -> (views: [View], mask: [UInt8], pastMask: [UInt8]?) {
        sampler.geometry(Draw(seed: 1, ticket: ticket, record: record(frames: 300)))
    }

    /// Visible patches by the same Python program. What pairs draw first is drawn alike.
    @Test func everyFrameHasItsOwnMask() {
        let visible = [[[2, 12], [10, 13], [11, 14], [14, 15]], [[6, 12], [1, 6], [2, 6], [12, 13]]]
        func shown(_ mask: ArraySlice<UInt8>) -> [Int] { mask.enumerated().filter { $0.element == 0 }.map(\.offset) }
        func frames(_ mask: [UInt8]) -> [[Int]] { stride(from: 0, to: mask.count, by: 16).map { shown(mask[$0..<$0 + 16]) } }
        for (ticket, expected) in visible.enumerated() {
            let futures = geometry(sampler(futures: 3) { $0.mask.frames = .symmetric }, ticket)
            #expect(frames(futures.mask) == Array(expected[..<3]) && futures.pastMask.map(frames) == Array(expected[3...]))
            let pasts = geometry(sampler(pasts: 3) { $0.mask.frames = .symmetric }, ticket)
            #expect(frames(pasts.mask) == Array(expected[..<1]) && pasts.pastMask.map(frames) == Array(expected[1...]))
            let pair = geometry(sampler(), ticket)
            #expect(frames(pair.mask) == Array(expected[..<1]) && pair.pastMask == nil && pair.views[0].box == pasts.views[0].box)
        }
    }

    @Test func cropsAreSharedByAllOrByNone() {
        for counts in [(1, 4), (4, 1)] {
            for ticket in 0..<200 {
                let shared = geometry(sampler(pasts: counts.0, futures: counts.1), ticket)
                let own = geometry(sampler(pasts: counts.0, futures: counts.1) { $0.sampling.crops = .independent }, ticket)
                #expect(shared.views.count == 5 && shared.mask == own.mask && shared.views[0] == own.views[0])
                #expect(shared.views.allSatisfy { $0.box == shared.views[0].box && $0.isFlipped == shared.views[0].isFlipped })
                #expect(Set(own.views.map { "\($0.box)" }).count == 5 && shared.views.map(\.frame) == own.views.map(\.frame))
            }
        }
    }

    @Test func samplesHoldAllFrames() throws {
        let symmetric = sampler(pasts: 3) { $0.mask.frames = .symmetric }
        #expect(symmetric.arrays.map(\.name) == ["frames", "mask", "views", "mask1"])
        #expect(symmetric.arrays.map(\.shape) == [[4, 32, 32, 3], [16], [4, 7], [48]])
        #expect(symmetric.arrays.map(\.zeros) == [nil, 2...2, nil, 6...6])
        let several = sampler(futures: 3)
        #expect(several.arrays.map(\.shape) == [[4, 32, 32, 3], [48], [4, 7]] && several.arrays[1].zeros == 6...6)
        try withSample(of: several, Draw(seed: 1, ticket: 0, record: record(frames: 300))) { sample, pictures in
            #expect(sample.matches(SampleLayout(several.arrays)) && !sample.matches(SampleLayout(sampler(futures: 2).arrays)))
            #expect(sample.views.map(\.tick) == [192, 200, 203, 222])
            #expect(pictures.map(\.index) == [0, 1, 2, 3] && pictures.map(\.request.frame) == [192, 200, 203, 222])
        }
    }

    /// Plans of pairs say nothing of the keys that came after them, those of several frames do, and all differ.
    @Test func plansTellTheNumberOfFrames() throws {
        func plan(_ sampler: FramePairSampler) -> PlanIdentity { PlanIdentity(manifestHash: "abc", seed: 5, sampler: AnySampler(sampler)) }
        let pairs = plan(sampler())
        for (other, difference) in [
            (sampler(futures: 3), "sampling.futures (1, not 3)"), (sampler(pasts: 8), "sampling.pasts (1, not 8)"),
        ] {
            #expect(pairs.difference(from: plan(other)) == difference && pairs.fingerprint != plan(other).fingerprint)
            #expect(try sent(plan(other)) == plan(other))
        }
        #expect(throws: MalformedBytes("a sampler whose sampling.futures is 9: from 1 to 8 future frames")) {
            try sent(plan(sampler(futures: 9)))
        }
    }
}
