/// Pairs of frames of one video, a short time apart and cut alike, of which the future one is masked: SiamMAE's samples
/// (arXiv 2305.14344, section 4; the defaults are its Table 4a).
///
/// Arrays: `frames` u8 `[2, S, S, 3]`, the past frame first; `mask` u8 `[N]` of the future frame, 1 where a patch is hidden, in row order;
/// `views` i32 `[2, 7]`, see ``View``; and, where the past frame is masked too, its `mask1` u8 `[N]`.
public struct FramePairSampler: Sampler {
    public static let name = "frame-pair"

    /// How the frames are chosen, cut and mirrored.
    public var sampling = Sampling()
    /// Which patches of them are hidden.
    public var mask = Mask()
    /// Side of a patch in pixels, the model's; divides `sampling.imageSize`.
    public var patchSize = 16

    public init() {}

    /// How a sample is taken from a video.
    public struct Sampling: Codable, Equatable, Sendable {
        /// Height and width of the crops in pixels.
        public var imageSize = 224
        /// Smallest and largest distance of the two frames, in frames of the timeline, inclusive.
        public var frameGap = [4, 48]
        /// "presentation-time": every video is seen at 30 frames a second; "raw-index": as its frames are, whatever its rate.
        public var timeline = TimelineKind.presentationTime
        /// Smallest and largest area of the crop as a share of the frame, drawn uniformly.
        public var cropArea = [0.5, 1.0]
        /// Smallest and largest width over height of the crop, drawn log-uniformly.
        public var cropAspect = [3.0 / 4, 4.0 / 3]
        /// Chance that a sample is mirrored.
        public var flip = 0.5
        /// "shared": one crop and one flip for both frames; "independent": one each.
        public var crops = CropSharing.shared
        /// Samples taken from a video each time it is opened.
        public var repeatedSampling = 2

        public init() {}
    }

    /// Which patches are hidden.
    public struct Mask: Codable, Equatable, Sendable {
        /// Share of a masked frame's patches that is hidden.
        public var ratio = 0.95
        /// "random"; or "grid": what is visible is a lattice of n x n patches, evenly spaced, at a random place.
        public var pattern = MaskPattern.random
        /// "asymmetric": the second frame is masked; "symmetric": both are, each with a mask of its own.
        public var frames = MaskedFrames.asymmetric

        public init() {}
    }

    public var repeatedSampling: Int { sampling.repeatedSampling }

    public var minimumFrames: Int { 2 }

    public var arrays: [ArrayDeclaration] {
        let (size, patches, visible) = (sampling.imageSize, patchCount, visiblePatchCount)
        return [
            ArrayDeclaration("frames", .uint8, [2, size, size, 3]), ArrayDeclaration("mask", .uint8, [patches], zeros: visible),
            ArrayDeclaration("views", .int32, [2, View.fieldCount]),
        ] + (mask.frames == .symmetric ? [ArrayDeclaration("mask1", .uint8, [patches], zeros: visible)] : [])
    }

    /// Patches along one side of a picture.
    public var gridSize: Int { sampling.imageSize / patchSize }

    /// Patches of one picture.
    public var patchCount: Int { gridSize * gridSize }

    /// Patches of a masked picture that stay visible, the same for every sample.
    public var visiblePatchCount: Int { mask.pattern.visibleCount(of: patchCount, ratio: mask.ratio) }

    public func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] {
        let pair = geometry(draw)
        sample.write(pair.mask, to: "mask")
        if let pastMask = pair.pastMask { sample.write(pastMask, to: "mask1") }
        return sample.write(pair.views, size: sampling.imageSize)
    }

    /// Everything about a sample but its pixels.
    ///
    /// - Returns: two views, the past frame first; the mask of the future frame; and the past frame's, nil where that frame is whole.
    public func geometry(_ draw: Draw) -> (views: [View], mask: [UInt8], pastMask: [UInt8]?) {
        var frames = draw.stream(.frames)
        let pair = Timeline(of: draw.record, rate: sampling.timeline.rate)
            .drawPair(gap: sampling.frameGap[0]...sampling.frameGap[1], from: &frames)

        var (crop, flip) = (draw.stream(.crop), draw.stream(.flip))
        func drawCut() -> (box: CropBox, isFlipped: Bool) {
            draw.cut(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip, &crop, &flip)
        }
        let pastCut = drawCut()
        let futureCut = sampling.crops == .shared ? pastCut : drawCut()

        var masks = draw.stream(.mask)
        func drawMask() -> [UInt8] { mask.pattern.draw(side: gridSize, visible: visiblePatchCount, from: &masks) }
        let futureMask = drawMask()
        let pastMask = mask.frames == .symmetric ? drawMask() : nil

        let views = [(pair.past, pastCut), (pair.future, futureCut)].map { moment, cut in
            View(tick: moment.tick, frame: moment.frame, box: cut.box, isFlipped: cut.isFlipped)
        }
        return (views, futureMask, pastMask)
    }
}

/// Whether the frames of a pair are cut and mirrored alike.
public enum CropSharing: String, Codable, CaseIterable, Sendable {
    /// One crop and one flip for both, so that only what moved differs.
    case shared
    /// A crop and a flip for each.
    case independent
}

/// Which frames of a pair are masked.
public enum MaskedFrames: String, Codable, CaseIterable, Sendable {
    /// The future frame; the past one is whole.
    case asymmetric
    /// Both with one ratio, each with a mask of its own.
    case symmetric
}
