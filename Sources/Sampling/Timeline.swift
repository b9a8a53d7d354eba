/// A video seen at an even rate: tick t is the frame whose presentation time is nearest to t / rate seconds after the first frame's.
/// At a rate of 0, tick t is frame t, whatever its time.
///
/// All times are compared as exact fractions, so no rounding decides between two frames.
public struct Timeline {
    /// A point in time and the frame shown for it.
    public struct Point: Equatable, Sendable {
        /// Ticks after the first frame.
        public var tick: Int
        /// The frame's index in presentation order.
        public var frame: Int
    }

    let record: VideoRecord
    /// One unit of the video's time base, and one tick, in a common unit.
    private let unit: Int
    private let tickLength: Int
    /// Ticks from the first frame to the last one, both included.
    public let count: Int

    /// - Parameter rate: ticks a second; 0: ticks are frames.
    public init(of record: VideoRecord, rate: Int) {
        var (record, rate) = (record, rate)
        if rate == 0 {
            rate = 1
            record.timeBase = Rational(1, 1)
            record.timestamps = .even(start: 0, step: 1, count: record.frameCount)
        }
        self.record = record
        unit = record.timeBase.numerator * rate
        tickLength = record.timeBase.denominator
        count = Int(record.timestamps[record.frameCount - 1] - record.timestamps[0]) * unit / tickLength + 1
    }

    /// The frame nearest to a tick; the earlier of two that are equally near; the last frame for ticks past the end.
    public func frame(nearest tick: Int) -> Int {
        let target = tick * tickLength
        func time(_ frame: Int) -> Int { Int(record.timestamps[frame] - record.timestamps[0]) * unit }
        // The last frame that is not after the target.
        let low = (1..<record.frameCount).partitionIndex { time($0) > target } - 1
        guard low + 1 < record.frameCount else { return low }
        return target - time(low) <= time(low + 1) - target ? low : low + 1
    }

    /// A random tick, each as likely as the others. One that shows a damaged frame is drawn again, ``maximumDraws`` times at most; then the
    /// intact frame takes its place that is nearest by index, the earlier of two.
    func drawPoint(from stream: inout RandomStream) -> Point {
        for _ in 1..<Self.maximumDraws {
            let point = point(atTick: stream.uniform(below: count))
            if !record.isDamaged(point.frame) { return point }
        }
        var point = point(atTick: stream.uniform(below: count))
        point.frame = record.intactFrame(nearest: point.frame)
        return point
    }

    /// Draws before damaged frames are replaced.
    public static let maximumDraws = 32

    /// A tick and its frame.
    func point(atTick tick: Int) -> Point { Point(tick: tick, frame: frame(nearest: tick)) }
}

extension VideoRecord {
    /// The frame that shows no damage and is nearest by index, the earlier of two.
    public func intactFrame(nearest frame: Int) -> Int {
        let distance = (0..<frameCount).first { distance in
            [frame - distance, frame + distance].contains { (0..<frameCount).contains($0) && !isDamaged($0) }
        }!
        return frame >= distance && !isDamaged(frame - distance) ? frame - distance : frame + distance
    }

    /// Whether times and areas of this video can be computed exactly in 64 bits. No real video comes near these bounds.
    var isWithinArithmetic: Bool {
        guard width <= 1 << 16, height <= 1 << 16, timeBase.numerator <= 1 << 20, timeBase.denominator <= 1 << 30 else { return false }
        let (first, last) = (timestamps[0], timestamps[frameCount - 1])
        let (span, overflows) = last.subtractingReportingOverflow(first)
        // Times are multiplied by the numerator and by a timeline's rate, which stays below 2^10; ticks travel as 32 bits.
        let (units, isTooLong) = span.multipliedReportingOverflow(by: Int64(timeBase.numerator) << 10)
        return !overflows && !isTooLong && units / Int64(timeBase.denominator) < Int32.max
    }
}
