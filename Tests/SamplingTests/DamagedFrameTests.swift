import Sampling
import Testing

@Suite("damaged frames are avoided") struct DamagedFrameTests {
    private func record(frames: Int, damaged: [Int], spacing: Int64 = 1) -> VideoRecord {
        var record = videoRecord(times: (0..<Int64(frames)).map { $0 * spacing }, timeBase: Rational(1, 30))
        record.damagedFrames = damaged
        return record
    }

    private func pair(_ record: VideoRecord, gap: ClosedRange<Int>, ticket: Int) -> (past: Timeline.Point, future: Timeline.Point) {
        var stream = RandomStream(seed: 5, purpose: .frames, ticket: ticket)
        return Timeline(of: record, rate: 30).drawPair(gap: gap, from: &stream)
    }

    @Test(
        arguments: [
            (300, Array(100..<160), 4...48), (300, Array(0..<150), 4...48), (300, Array(150..<300), 4...48),
            (60, Array(stride(from: 0, to: 60, by: 2)), 3...3), (20, [0], 30...48), (20, [19], 30...48), (20, Array(1...9), 30...48),
            (4, [0, 3], 4...48), (4, [1, 2], 4...48), (3, [1], 1...2), (5, [2, 3], 1...1),
        ] as [(Int, [Int], ClosedRange<Int>)])
    func neverDrawn(frames: Int, damaged: [Int], gap: ClosedRange<Int>) {
        let record = record(frames: frames, damaged: damaged)
        #expect(record.fault == nil)
        for ticket in 0..<3000 {
            let pair = pair(record, gap: gap, ticket: ticket)
            #expect(0 <= pair.past.frame && pair.past.frame < pair.future.frame && pair.future.frame < frames)
            #expect(!damaged.contains(pair.past.frame) && !damaged.contains(pair.future.frame), "\(pair)")
            #expect(pair == self.pair(record, gap: gap, ticket: ticket))
        }
    }

    @Test("a pair that touches no damage is the pair of the undamaged video; the others keep the gap's law") func othersStay() {
        let (whole, damaged) = (record(frames: 300, damaged: []), record(frames: 300, damaged: Array(140..<150)))
        var kept = 0
        var redrawnGaps: [Int] = []
        for ticket in 0..<5000 {
            let (expected, found) = (pair(whole, gap: 4...48, ticket: ticket), pair(damaged, gap: 4...48, ticket: ticket))
            if (140..<150).contains(expected.past.frame) || (140..<150).contains(expected.future.frame) {
                redrawnGaps.append(found.future.frame - found.past.frame)
            } else {
                kept += 1
                #expect(expected == found)
            }
        }
        // Either frame falls upon one of ten of 300.
        #expect(abs(kept - 4667) < 100)
        #expect(redrawnGaps.allSatisfy { (4...48).contains($0) })
        #expect(abs(Double(redrawnGaps.reduce(0, +)) / Double(redrawnGaps.count) - 26) < 3)
    }

    @Test("where every draw touches damage, the nearest intact frames stand in") func lastResort() {
        // The gap is cut to 19 ticks, so that the draw is (0, 19).
        let expected: [([Int], Int, Int)] = [([19], 0, 18), ([0, 1], 2, 19), ([0, 17, 18, 19], 1, 16), (Array(10...19), 0, 9)]
        for (damaged, past, future) in expected {
            let pair = pair(record(frames: 20, damaged: damaged), gap: 30...48, ticket: 0)
            #expect((pair.past.frame, pair.future.frame) == (past, future))
            #expect((pair.past.tick, pair.future.tick) == (0, 19))
        }
    }

    @Test func recordsWithTooMuchDamageAreImpossible() {
        #expect(record(frames: 10, damaged: Array(0..<5)).fault == nil)
        for (frames, damaged) in [(10, Array(0..<6)), (2, [0]), (3, [0, 1]), (10, [10]), (10, [-1]), (10, [3, 2]), (10, [3, 3])] {
            #expect(record(frames: frames, damaged: damaged).fault != nil, "\(damaged) of \(frames)")
        }
    }
}

@Suite("what a pair costs") struct CostTests {
    private func cost(frames: Int, keyFrames: [Int], gap: ClosedRange<Int>, timeBase: Rational = Rational(1, 30)) -> Double {
        var record = videoRecord(times: (0..<Int64(frames)).map { $0 }, timeBase: timeBase)
        record.keyFrames = keyFrames
        return record.framesPerPair(gap: gap, rate: 30)
    }

    /// Figures measured for 300 frames and gaps of 4 to 48: 141 decoded frames at a key frame in 250, 16.4 in 16, 8.9 in 8.
    @Test(arguments: [(250, 141), (16, 16.4), (8, 8.9)])
    func agreesWithMeasurements(group: Int, expected: Double) {
        let found = cost(frames: 300, keyFrames: Array(stride(from: 0, to: 300, by: group)), gap: 4...48)
        #expect(abs(found - expected) < expected * 0.01)
    }

    @Test func isTheMeanOverAllPairs() {
        // Three frames, a gap of one: 0 and 1 cost two frames, 1 and 2 three from the key frame 0, or two where 2 is a key frame.
        #expect(cost(frames: 3, keyFrames: [0], gap: 1...1) == 2.5)
        #expect(cost(frames: 3, keyFrames: [0, 1], gap: 1...1) == 2)
        #expect(cost(frames: 3, keyFrames: [0, 2], gap: 1...1) == 2.5)
        // A gap of two, cut from 2...3 in three frames: 0 and 2.
        #expect(cost(frames: 3, keyFrames: [0, 2], gap: 2...3) == 2)
        #expect(cost(frames: 3, keyFrames: [0], gap: 2...3) == 3)
        // Ten frames a second: three ticks are a frame.
        #expect(cost(frames: 3, keyFrames: [0, 1, 2], gap: 3...3, timeBase: Rational(1, 10)) == 2)
    }
}
