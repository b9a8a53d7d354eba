/// Pairs of frames of one video, a short time apart and cut alike, of which the future one is masked: SiamMAE's samples
/// (arXiv 2305.14344, section 4; the defaults are its Table 4a). Beyond the paper, F futures of one past frame, or P pasts of one future frame.
///
/// Arrays: `frames` u8 `[P + F, S, S, 3]` in the order of time, the past frame first; `mask` u8 `[F N]`, 1 where a patch is hidden, of each
/// future frame in row order; `views` i32 `[P + F, 7]`, see ``View``; and, where past frames are masked too, their `mask1` u8 `[P N]`.
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
        /// Smallest and largest distance of past and future frame, in frames of the timeline, inclusive.
        public var frameGap = [4, 48]
        /// Future frames of a sample, up to ``maximumFrames``, at growing distances from its past frame.
        public var futures = 1
        /// Past frames of a sample likewise, of one future frame.
        public var pasts = 1
        /// "presentation-time": every video is seen at 30 frames a second; "raw-index": as its frames are, whatever its rate.
        public var timeline = TimelineKind.presentationTime
        /// Smallest and largest area of the crop as a share of the frame, drawn uniformly.
        public var cropArea = [0.5, 1.0]
        /// Smallest and largest width over height of the crop, drawn log-uniformly.
        public var cropAspect = [3.0 / 4, 4.0 / 3]
        /// Chance that a sample is mirrored.
        public var flip = 0.5
        /// "shared": one crop and one flip for all frames; "independent": one each.
        public var crops = CropSharing.shared
        /// Samples taken from a video each time it is opened.
        public var repeatedSampling = 2

        /// Future frames of a sample at most, and past ones.
        package static let maximumFrames = 8

        public init() {}
    }

    /// Which patches are hidden.
    public struct Mask: Codable, Equatable, Sendable {
        /// Share of a masked frame's patches that is hidden.
        public var ratio = 0.95
        /// "random"; or "grid": what is visible is a lattice of n x n patches, evenly spaced, at a random place.
        public var pattern = MaskPattern.random
        /// "asymmetric": future frames are masked; "symmetric": past ones too, each with a mask of its own.
        public var frames = MaskedFrames.asymmetric

        public init() {}
    }

    public var repeatedSampling: Int { sampling.repeatedSampling }

    public var minimumFrames: Int { 2 }

    public var arrays: [ArrayDeclaration] {
        let (size, frames) = (sampling.imageSize, sampling.pasts + sampling.futures)
        func masks(_ name: String, of frames: Int) -> ArrayDeclaration {
            ArrayDeclaration(name, .uint8, [frames * patchCount], zeros: frames * visiblePatchCount)
        }
        return [
            ArrayDeclaration("frames", .uint8, [frames, size, size, 3]), masks("mask", of: sampling.futures),
            ArrayDeclaration("views", .int32, [frames, View.fieldCount]),
        ] + (mask.frames == .symmetric ? [masks("mask1", of: sampling.pasts)] : [])
    }

    /// Patches along one side of a picture.
    public var gridSize: Int { sampling.imageSize / patchSize }

    /// Patches of one picture.
    public var patchCount: Int { gridSize * gridSize }

    /// Patches of a masked picture that stay visible, the same for every sample.
    public var visiblePatchCount: Int { mask.pattern.visibleCount(of: patchCount, ratio: mask.ratio) }

    public func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] {
        let drawn = geometry(draw)
        sample.write(drawn.mask, to: "mask")
        if let pastMask = drawn.pastMask { sample.write(pastMask, to: "mask1") }
        return sample.write(drawn.views, size: sampling.imageSize)
    }

    /// Everything about a sample but its pixels.
    ///
    /// - Returns: a view of each frame in the order of time; the masks of the future frames, one after the other; and those of the past frames,
    ///   nil where they are whole.
    public func geometry(_ draw: Draw) -> (views: [View], mask: [UInt8], pastMask: [UInt8]?) {
        var frames = draw.stream(.frames)
        let moments = Timeline(of: draw.record, rate: sampling.timeline.rate).drawFrames(
            pasts: sampling.pasts, futures: sampling.futures, gap: sampling.frameGap[0]...sampling.frameGap[1], from: &frames)

        var (crop, flip) = (draw.stream(.crop), draw.stream(.flip))
        func drawCut() -> (box: CropBox, isFlipped: Bool) {
            draw.cut(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip, &crop, &flip)
        }
        let first = drawCut()
        let cuts = [first] + moments.dropFirst().map { _ in sampling.crops == .shared ? first : drawCut() }

        var masks = draw.stream(.mask)
        func drawMasks(_ count: Int) -> [UInt8] {
            (0..<count).flatMap { _ in mask.pattern.draw(side: gridSize, visible: visiblePatchCount, from: &masks) }
        }
        let futureMask = drawMasks(sampling.futures)
        let pastMask = mask.frames == .symmetric ? drawMasks(sampling.pasts) : nil

        let views = zip(moments, cuts).map { moment, cut in
            draw.view(moment, cut.box, isFlipped: cut.isFlipped)
        }
        return (views, futureMask, pastMask)
    }
}

/// Whether the frames of a sample are cut and mirrored alike.
public enum CropSharing: String, Codable, CaseIterable, Sendable {
    /// One crop and one flip for all, so that only what moved differs.
    case shared
    /// A crop and a flip for each.
    case independent
}

/// Which frames of a sample are masked.
public enum MaskedFrames: String, Codable, CaseIterable, Sendable {
    /// The future ones; past ones are whole.
    case asymmetric
    /// All with one ratio, each with a mask of its own.
    case symmetric
}
