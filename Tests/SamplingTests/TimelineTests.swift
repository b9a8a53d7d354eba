import Sampling
import Testing

/// A record of a video that need not exist.
func videoRecord(
    times: [Int64], timeBase: Rational, width: Int = 340, height: Int = 256, path: String = "folder/clip.mp4"
) -> VideoRecord {
    VideoRecord(
        path: path, bytes: 1000, width: width, height: height, timeBase: timeBase, timestamps: Timestamps(times), keyFrames: [0],
        contentHash: String(repeating: "0", count: 32))
}

@Suite struct TimelineTests {
    private func stream(_ ticket: Int) -> RandomStream { RandomStream(seed: 1, purpose: .frames, ticket: ticket) }

    @Test func aVideoAtTheTimelinesRateIsItself() {
        let timeline = Timeline(of: videoRecord(times: (0..<300).map { 1000 + $0 * 512 }, timeBase: Rational(1, 15_360)), rate: 30)
        #expect(timeline.count == 300)
        for tick in 0..<300 { #expect(timeline.frame(nearest: tick) == tick) }
        #expect(timeline.frame(nearest: 400) == 299)
    }

    /// Against the definition, by search over all frames, in exact arithmetic on irregular times.
    @Test func ticksFindTheNearestFrame() {
        let times: [Int64] = [7, 8, 20, 21, 22, 90, 95, 200, 201, 340]
        let timeline = Timeline(of: videoRecord(times: times, timeBase: Rational(1, 90)), rate: 30)
        #expect(timeline.count == 112)
        for tick in 0..<112 {
            let target = Int64(tick) * 3
            let distances = times.map { abs($0 - times[0] - target) }
            #expect(timeline.frame(nearest: tick) == distances.firstIndex(of: distances.min()!), "tick \(tick)")
        }
    }

    @Test(arguments: [(24_000, 1001, 100, 124), (60, 1, 301, 151), (15, 1, 61, 121), (30_000, 1001, 300, 300)])
    func otherRatesAreCountedInTicks(numerator: Int, denominator: Int, frames: Int, ticks: Int) {
        let record = videoRecord(times: (0..<frames).map { Int64($0 * denominator) }, timeBase: Rational(1, numerator))
        #expect(Timeline(of: record, rate: 30).count == ticks)
    }

    /// A gap of 4...48 has 45 values; over 45,000 draws each comes about 1,000 times, the ends included.
    @Test func gapsAreUniformAndInclusive() {
        let timeline = Timeline(of: videoRecord(times: (0..<300).map { $0 }, timeBase: Rational(1, 30)), rate: 30)
        var gaps = [Int](repeating: 0, count: 60)
        var starts = [0, 0]
        for ticket in 0..<45_000 {
            var stream = stream(ticket)
            let pair = timeline.drawPair(gap: 4...48, from: &stream)
            gaps[pair.future.tick - pair.past.tick] += 1
            #expect(pair.past.tick >= 0 && pair.future.tick < 300)
            if pair.past.tick == 0 { starts[0] += 1 }
            if pair.future.tick == 299 { starts[1] += 1 }
        }
        #expect(gaps[..<4].allSatisfy { $0 == 0 } && gaps[49...].allSatisfy { $0 == 0 })
        for gap in 4...48 { #expect(abs(gaps[gap] - 1000) < 130, "gap \(gap) came \(gaps[gap]) times") }
        // A start is drawn from about 274 that fit, so both ends come about 164 times.
        #expect(starts.allSatisfy { abs($0 - 164) < 60 })
    }

    @Test(arguments: [2, 3, 5, 20])
    func shortVideosGiveTheLargestGapThatFits(frames: Int) {
        let timeline = Timeline(of: videoRecord(times: (0..<frames).map { Int64($0) }, timeBase: Rational(1, 30)), rate: 30)
        for ticket in 0..<200 {
            var stream = stream(ticket)
            let pair = timeline.drawPair(gap: 30...48, from: &stream)
            #expect(pair.past.tick == 0 && pair.future.tick == frames - 1)
            #expect(pair.past.frame == 0 && pair.future.frame == frames - 1)
        }
    }

    /// Two frames a second, a gap of a few ticks: both ticks fall on one frame, and must not give it twice. Likewise two frames
    /// that lie closer together than one tick.
    @Test(arguments: [(40, 15), (2, 1), (2, 30)])
    func framesOfAPairDiffer(frames: Int, spacing: Int) {
        let record = videoRecord(times: (0..<frames).map { Int64($0 * spacing) }, timeBase: Rational(1, spacing == 1 ? 600 : 30))
        let timeline = Timeline(of: record, rate: 30)
        for ticket in 0..<2000 {
            var stream = stream(ticket)
            let pair = timeline.drawPair(gap: 1...4, from: &stream)
            #expect(pair.past.frame < pair.future.frame && pair.past.frame >= 0 && pair.future.frame < frames)
        }
    }
}
