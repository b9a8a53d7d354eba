extension Timeline {
    /// A random pair: a gap drawn uniformly, cut to the largest that fits (at least one tick), from a start drawn uniformly over
    /// those that fit. The two frames differ even where the video is slower than the timeline.
    ///
    /// A pair that touches a damaged frame is drawn again, ``maximumDraws`` times at most; of the last draw each damaged frame gives way to
    /// the intact one that is nearest by index, the earlier of two.
    public func drawPair(gap: ClosedRange<Int>, from stream: inout RandomStream) -> (past: Point, future: Point) {
        precondition(record.frameCount >= 2, "a pair needs two frames, \(record.path) has \(record.frameCount)")
        var pair = drawAnyPair(gap: gap, from: &stream)
        var draws = 1
        func isIntact() -> Bool { !record.isDamaged(pair.past.frame) && !record.isDamaged(pair.future.frame) }
        while draws < Self.maximumDraws, !isIntact() {
            pair = drawAnyPair(gap: gap, from: &stream)
            draws += 1
        }
        guard !isIntact() else { return pair }
        pair.past.frame = record.intactFrame(nearest: pair.past.frame)
        pair.future.frame = record.intactFrame(nearest: pair.future.frame)
        return distinct(pair)
    }

    private func drawAnyPair(gap: ClosedRange<Int>, from stream: inout RandomStream) -> (past: Point, future: Point) {
        let drawn = gap.lowerBound + stream.uniform(below: gap.count)
        let ticks = min(drawn, max(1, count - 1))
        let start = stream.uniform(below: max(1, count - ticks))
        return distinct((point(atTick: start), point(atTick: start + ticks)))
    }

    /// Two different frames: where both are one, the next intact frame is the future one, and where there is none, the last before it
    /// the past one.
    private func distinct(_ pair: (past: Point, future: Point)) -> (past: Point, future: Point) {
        var (past, future) = pair
        guard past.frame == future.frame else { return pair }
        if let next = (future.frame + 1..<record.frameCount).first(where: { !record.isDamaged($0) }) {
            future.frame = next
        } else {
            past.frame = (0..<past.frame).last { !record.isDamaged($0) }!
        }
        return (past, future)
    }
}
