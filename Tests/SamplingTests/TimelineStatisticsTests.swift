import Sampling
import Testing

/// Pairs over videos of many rates: gaps and starts are uniform in ticks, and lie as far apart in time as they say.
@Suite struct TimelineStatisticsTests {
    /// Twenty seconds in a time base of 1/600 000, which all rates here divide.
    private static func record(framesPerSecond: Int) -> VideoRecord {
        videoRecord(times: (0..<20 * framesPerSecond).map { Int64($0 * 600_000 / framesPerSecond) }, timeBase: Rational(1, 600_000))
    }

    /// Frames 7, 20 or 93 ms apart.
    private static let variable: VideoRecord = {
        var times: [Int64] = [0]
        while times.count < 500 { times.append(times.last! + [7, 20, 93][times.count * times.count % 3]) }
        return videoRecord(times: times, timeBase: Rational(1, 1000))
    }()

    /// Pearson's statistic of counts that should be equal.
    private func chiSquare(_ counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }

    @Test("gaps and starts are uniform", arguments: [12, 15, 25, 30, 60, 0], [30, 0])
    func uniform(framesPerSecond: Int, rate: Int) {
        let record = framesPerSecond == 0 ? Self.variable : Self.record(framesPerSecond: framesPerSecond)
        let timeline = Timeline(of: record, rate: rate)
        let ticksPerSecond = record.timeBase.value * 30
        var gaps = [Int](repeating: 0, count: 45)
        var starts = [Int](repeating: 0, count: 10)
        for ticket in 0..<20_000 {
            var stream = RandomStream(seed: 11, purpose: .frames, ticket: ticket)
            let (past, future) = timeline.drawPair(gap: 4...48, from: &stream)
            let gap = future.tick - past.tick
            gaps[gap - 4] += 1
            starts[past.tick * 10 / (timeline.count - gap)] += 1
            guard rate > 0 else {
                #expect(past.frame == past.tick && future.frame == future.tick)
                continue
            }
            // A frame is at most half the distance of its neighbours from its tick; here that is 46.5 ms or, at 12 a second, 41.7.
            let apart = Double(record.timestamps[future.frame] - record.timestamps[past.frame]) * ticksPerSecond
            #expect(abs(apart - Double(gap)) < 3)
        }
        // The upper 1e-4 points of chi-square with 44 and 9 degrees of freedom; a tenth of the starts is a whole number of ticks only nearly.
        #expect(chiSquare(gaps) < 86.1)
        #expect(chiSquare(starts) < 60)
    }
}
