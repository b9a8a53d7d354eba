extension Recipe {
    /// The geometry of one sample, everything about it but the pixels: a pure function of its arguments.
    ///
    /// - Parameter record: the video that (seed, ticket, attempt) chose; at least two frames.
    /// - Returns: two views, the past frame first, with one crop and one flip for both; and the mask of the second, one byte a patch in
    ///   row order, 1 where the patch is hidden.
    public func draw(seed: UInt64, ticket: Int, replica: Int, attempt: Int, record: VideoRecord) -> (views: [View], mask: [UInt8]) {
        func stream(_ purpose: RandomPurpose) -> RandomStream {
            RandomStream(seed: seed, purpose: purpose, ticket: ticket, replica: replica, attempt: attempt)
        }
        var frames = stream(.framePair)
        var crop = stream(.crop)
        var flip = stream(.flip)
        var mask = stream(.mask)
        let pair = Timeline(of: record, rate: timelineRate).drawPair(gap: frameGap, from: &frames)
        let box = CropBox.randomResized(width: record.width, height: record.height, area: cropArea, aspect: cropAspect, from: &crop)
        let isFlipped = flip.uniform01() < flipProbability
        let views = [pair.past, pair.future].map { View(tick: $0.tick, frame: $0.frame, box: box, isFlipped: isFlipped) }
        return (views, randomMask(patchCount: patchCount, visible: visiblePatchCount, from: &mask))
    }
}

/// A mask that leaves a random set of patches visible: noise for each patch, of which the smallest stay.
func randomMask(patchCount: Int, visible: Int, from stream: inout RandomStream) -> [UInt8] {
    // The index in the low half makes equal noise sort the same way everywhere.
    var noise = (0..<patchCount).map { UInt64(stream.nextUInt32()) << 32 | UInt64($0) }
    noise.sort()
    var mask = [UInt8](repeating: 1, count: patchCount)
    for entry in noise.prefix(visible) { mask[Int(entry & 0xFFFF_FFFF)] = 0 }
    return mask
}
