/// Spans of real time, seen in evenly spaced moments and hidden without regard to space and time: MAE-ST's samples (Feichtenhofer et al.,
/// arXiv 2205.09113, sections 3 and 4; facebookresearch/mae_st util/kinetics.py and util/decoder, whose numbers the defaults are).
///
/// Arrays: `frames` u8 `[T, S, S, 3]`; `mask` u8 `[N]`, 1 where a patch is hidden, over time, then in row order; `views` i32 `[T, 7]`, see
/// ``View``.
public struct SpanSampler: Sampler {
    public static let name = "span"

    /// How the frames are chosen, cut and mirrored.
    public var sampling = Sampling()
    /// Which patches of them are hidden.
    public var mask = Mask()
    /// Side of a patch in pixels, the model's; divides `sampling.imageSize`.
    public var patchSize = 16
    /// Frames of a patch, the model's; divides `sampling.frames`.
    public var tubelet = 2

    public init() {}

    /// How a sample is taken from a video.
    public struct Sampling: Codable, Equatable, Sendable {
        /// Height and width of the crops in pixels.
        public var imageSize = 224
        /// Frames of a clip.
        public var frames = 16
        /// Distance of one frame to the next, in thirtieths of a second: a clip covers `frames · stride / 30` seconds of the video.
        public var stride = 4
        /// Smallest and largest area of the crop as a share of the frame, drawn uniformly.
        public var cropArea = [0.5, 1.0]
        /// Smallest and largest width over height of the crop, drawn log-uniformly.
        public var cropAspect = [3.0 / 4, 4.0 / 3]
        /// Chance that a sample is mirrored.
        public var flip = 0.5
        /// Samples taken from a video each time it is opened, each a span of its own.
        public var repeatedSampling = 4

        public init() {}
    }

    /// Which patches are hidden: a random set of all that a clip has.
    public struct Mask: Codable, Equatable, Sendable {
        /// Share of the patches that is hidden.
        public var ratio = 0.9

        public init() {}
    }

    public var repeatedSampling: Int { sampling.repeatedSampling }
    public var minimumFrames: Int { 2 }

    public func outlasts(_ record: VideoRecord) -> Bool {
        Double(record.frameCount) < record.spanLength(frames: sampling.frames, stride: sampling.stride)
    }

    public var arrays: [ArrayDeclaration] {
        [
            ArrayDeclaration("frames", .uint8, [sampling.frames, sampling.imageSize, sampling.imageSize, 3]),
            ArrayDeclaration("mask", .uint8, [patchCount], zeros: visiblePatchCount),
            ArrayDeclaration("views", .int32, [sampling.frames, View.fieldCount]),
        ]
    }

    /// Patches of a clip.
    private var patchCount: Int {
        let side = sampling.imageSize / patchSize
        return sampling.frames / tubelet * side * side
    }

    /// Patches that stay visible, the same for every sample.
    private var visiblePatchCount: Int { MaskPattern.random.visibleCount(of: patchCount, ratio: mask.ratio) }

    public var problem: (key: String, message: String)? {
        let checks =
            clipChecks(frames: sampling.frames, tubelet: tubelet, stride: sampling.stride)
            + cropChecks(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip)
            + visitChecks(repeatedSampling, of: "clips") + patchChecks(imageSize: sampling.imageSize, patchSize: patchSize)
        let masks = maskChecks(of: "the clip", ratio: mask.ratio, pattern: .random, patches: patchCount, once: checks)
        return (checks + masks).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    public func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] {
        var (frames, crops, flips, masks) = (draw.stream(.frames), draw.stream(.crop), draw.stream(.flip), draw.stream(.mask))
        let numbers = draw.record.drawSpan(frames: sampling.frames, stride: sampling.stride, from: &frames)
        let (box, isFlipped) = draw.cut(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip, &crops, &flips)
        let views = numbers.map { draw.view(.init(tick: $0, frame: $0), box, isFlipped: isFlipped) }
        sample.write(MaskPattern.drawRandom(patchCount: patchCount, visible: visiblePatchCount, from: &masks), to: "mask")
        return sample.write(views, size: sampling.imageSize, scaling: .bilinearUnsmoothed)
    }
}
