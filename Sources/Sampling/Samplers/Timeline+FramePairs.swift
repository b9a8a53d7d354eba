extension Timeline {
    /// Random frames in the order of time: one past frame and one or more future ones, or several past frames and one future one.
    ///
    /// Of a pair: a gap drawn uniformly, cut to the largest that fits (at least one tick), from a start drawn uniformly over those that
    /// fit. Of several futures: as many gaps from the past frame, every set of different ones as likely as the others; of several pasts:
    /// gaps back from the future frame likewise. The largest is cut to the last tick, the one before it to the tick before, and so on,
    /// so that they still grow; in a timeline of too few ticks they are 1, 2 and so on, none above the largest that fits.
    /// The start is drawn for the largest. All frames differ even where the video is slower than the timeline, see ``distinct(_:pasts:)``.
    ///
    /// Frames of which one is damaged are drawn again, ``maximumDraws`` times at most; of the last draw each damaged frame gives way to
    /// the intact one that is nearest by index, the earlier of two.
    package func drawFrames(pasts: Int, futures: Int, gap: ClosedRange<Int>, from stream: inout RandomStream) -> [Point] {
        precondition(record.frameCount >= 2, "a pair needs two frames, \(record.path) has \(record.frameCount)")
        var points = drawAnyFrames(pasts: pasts, futures: futures, gap: gap, from: &stream)
        var draws = 1
        func isIntact() -> Bool { !points.contains { record.isDamaged($0.frame) } }
        while draws < Self.maximumDraws, !isIntact() {
            points = drawAnyFrames(pasts: pasts, futures: futures, gap: gap, from: &stream)
            draws += 1
        }
        guard !isIntact() else { return points }
        for place in points.indices { points[place].frame = record.intactFrame(nearest: points[place].frame) }
        return distinct(points, pasts: pasts)
    }

    private func drawAnyFrames(pasts: Int, futures: Int, gap: ClosedRange<Int>, from stream: inout RandomStream) -> [Point] {
        let gaps = drawGaps(max(pasts, futures), of: gap, from: &stream)
        let length = gaps.last!
        let start = stream.uniform(below: max(1, count - length))
        let ticks = pasts > 1 ? gaps.reversed().map { length - $0 } + [length] : [0] + gaps
        return distinct(ticks.map { point(atTick: start + $0) }, pasts: pasts)
    }

    /// So many gaps, ascending.
    private func drawGaps(_ number: Int, of gap: ClosedRange<Int>, from stream: inout RandomStream) -> [Int] {
        var drawn: [Int] = []
        for taken in 0..<number {
            // A place among the gaps that are left.
            var ticks = gap.lowerBound + stream.uniform(below: gap.count - taken)
            for other in drawn where other <= ticks { ticks += 1 }
            drawn.insert(ticks, at: drawn.firstIndex { $0 > ticks } ?? taken)
        }
        let largest = max(1, count - 1)
        return drawn.enumerated().map { index, ticks in max(min(ticks, largest - (number - 1 - index)), min(index + 1, largest)) }
    }

    /// Different frames: one that does not come after the one before it gives way to the next intact frame after that; where there is none,
    /// those before it give way to the last intact ones. A video of fewer intact frames gives all of them, in their order: of several futures
    /// the last is repeated, of several pasts the last but one.
    private func distinct(_ points: [Point], pasts: Int) -> [Point] {
        var points = points
        let intact = record.frameCount - record.damagedFrames.count
        guard intact >= points.count else {
            let frames = (0..<record.frameCount).filter { !record.isDamaged($0) }
            for place in points.indices { points[place].frame = frames[min(place, intact - (place < pasts ? 2 : 1))] }
            return points
        }
        for place in points.indices.dropFirst() where points[place].frame <= points[place - 1].frame {
            let before = points[place - 1].frame
            points[place].frame = (before + 1..<record.frameCount).first { !record.isDamaged($0) } ?? before
        }
        for place in points.indices.dropLast().reversed() where points[place].frame >= points[place + 1].frame {
            points[place].frame = (0..<points[place + 1].frame).last { !record.isDamaged($0) }!
        }
        return points
    }
}
