extension Timeline {
    /// A random clip: as many frames as asked for, `stride` ticks apart, from a start drawn uniformly over those that leave room for
    /// `frames · stride` ticks; from the first tick where none does. What would reach the last tick or lie past it repeats the frame before.
    ///
    /// A clip that touches a damaged frame is drawn again, ``maximumDraws`` times at most; of the last draw each damaged frame gives way to
    /// the intact one that is nearest by index, the earlier of two.
    ///
    /// Source: MCG-NJU/VideoMAE kinetics.py, whose comparison of a frame's number, counted from 1, with the number of frames leaves the last
    /// frame out.
    func drawClip(frames: Int, stride: Int, from stream: inout RandomStream) -> [Point] {
        var clip: [Point] = []
        for _ in 0..<Self.maximumDraws {
            var tick = stream.uniform(below: max(0, count - frames * stride) + 1)
            clip = (0..<frames).map { _ in
                defer { if tick + stride < count - 1 { tick += stride } }
                return point(atTick: tick)
            }
            if clip.allSatisfy({ !record.isDamaged($0.frame) }) { return clip }
        }
        return clip.map { Point(tick: $0.tick, frame: record.intactFrame(nearest: $0.frame)) }
    }
}
