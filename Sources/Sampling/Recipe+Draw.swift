extension Recipe {
    /// The geometry of one sample, everything about it but the pixels: a pure function of its arguments.
    ///
    /// - Parameter record: the video that (seed, ticket, attempt) chose; at least two frames.
    /// - Returns: two views, the past frame first; the mask of the future frame, one byte a patch in row order, 1 where the patch is
    ///   hidden; and the past frame's mask, nil where that frame is whole.
    public func draw(
        seed: UInt64, ticket: Int, replica: Int, attempt: Int, record: VideoRecord
    ) -> (views: [View], mask: [UInt8], pastMask: [UInt8]?) {
        func stream(_ purpose: RandomPurpose) -> RandomStream {
            RandomStream(seed: seed, purpose: purpose, ticket: ticket, replica: replica, attempt: attempt)
        }
        var frames = stream(.framePair)
        let pair = Timeline(of: record, rate: timelineRate).drawPair(gap: frameGap, from: &frames)

        var (crop, flip) = (stream(.crop), stream(.flip))
        func drawCut() -> (box: CropBox, isFlipped: Bool) {
            let box = CropBox.randomResized(width: record.width, height: record.height, area: cropArea, aspect: cropAspect, from: &crop)
            return (box, flip.uniform01() < flipProbability)
        }
        let pastCut = drawCut()
        let futureCut = crops == .shared ? pastCut : drawCut()

        // What only some recipes draw comes last in its stream, so that all recipes agree on the rest.
        var masks = stream(.mask)
        func drawMask() -> [UInt8] { maskPattern.draw(side: gridSize, visible: visiblePatchCount, from: &masks) }
        let mask = drawMask()
        let pastMask = maskedFrames == .symmetric ? drawMask() : nil

        let views = [(pair.past, pastCut), (pair.future, futureCut)].map { moment, cut in
            View(tick: moment.tick, frame: moment.frame, box: cut.box, isFlipped: cut.isFlipped)
        }
        return (views, mask, pastMask)
    }
}
