extension VideoRecord {
    /// Why no pair can be drawn from this record, nil where it is sound. Records come from files and from the wire.
    public var defect: String? {
        if frameCount < 2 { return "it has \(frameCount) frame(s), and a pair needs two" }
        guard width > 0, height > 0, width <= 65_536, height <= 65_536 else { return "its size is \(width) x \(height)" }
        // The largest time base of any container is far below these; the bounds keep exact time arithmetic within 64 bits.
        guard (1...1_000_000).contains(timeBase.numerator), (1...1_000_000_000).contains(timeBase.denominator) else {
            return "its time base is \(timeBase.numerator)/\(timeBase.denominator)"
        }
        let limit = Int64(1) << 53
        var previous = -limit
        switch timestamps {
        case .even(let start, let step, let count):
            let (span, spanOverflows) = step.multipliedReportingOverflow(by: Int64(count - 1))
            guard step > 0, abs(start.clamped) < limit, !spanOverflows, span < limit else { return "its timestamps do not ascend" }
        case .table(let times):
            for time in times {
                guard time > previous, time < limit else { return "its timestamps do not ascend" }
                previous = time
            }
        }
        let span = Int(timestamps[frameCount - 1] - timestamps[0])
        let (_, overflows) = span.multipliedReportingOverflow(by: timeBase.numerator * 1000)
        if overflows { return "its duration is \(span) ticks of \(timeBase.numerator)/\(timeBase.denominator) s" }
        var last = -1
        for frame in keyFrames {
            guard frame > last, frame < frameCount else { return "its key frames do not ascend" }
            last = frame
        }
        return nil
    }
}

extension Int64 {
    /// The value, or the nearest one that has an absolute value.
    fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}
