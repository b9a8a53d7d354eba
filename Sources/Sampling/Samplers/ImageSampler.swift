/// Single pictures, cut anywhere and mostly hidden: MAE's samples (He et al., arXiv 2111.06377, section 4; facebookresearch/mae
/// main_pretrain.py, whose numbers the defaults are). Of a video, one of its frames, each as likely as the others; of a still, the still.
///
/// Arrays: `frames` u8 `[1, S, S, 3]`; `mask` u8 `[N]`, 1 where a patch is hidden, in row order; `views` i32 `[1, 7]`, see ``View``.
public struct ImageSampler: Sampler {
    public static let name = "image"

    /// How the picture is chosen, cut and mirrored.
    public var sampling = Sampling()
    /// Which patches of it are hidden.
    public var mask = Mask()
    /// Side of a patch in pixels, the model's; divides `sampling.imageSize`.
    public var patchSize = 16

    public init() {}

    /// How a sample is taken from a video.
    public struct Sampling: Codable, Equatable, Sendable {
        /// Height and width of the crops in pixels.
        public var imageSize = 224
        /// Smallest and largest area of the crop as a share of the frame, drawn uniformly.
        public var cropArea = [0.2, 1.0]
        /// Smallest and largest width over height of the crop, drawn log-uniformly.
        public var cropAspect = [3.0 / 4, 4.0 / 3]
        /// Chance that a sample is mirrored.
        public var flip = 0.5
        /// Samples taken from a video each time it is opened.
        public var repeatedSampling = 1

        public init() {}
    }

    /// Which patches are hidden: a random set.
    public struct Mask: Codable, Equatable, Sendable {
        /// Share of the patches that is hidden.
        public var ratio = 0.75

        public init() {}
    }

    public var repeatedSampling: Int { sampling.repeatedSampling }

    public var arrays: [ArrayDeclaration] {
        [
            ArrayDeclaration("frames", .uint8, [1, sampling.imageSize, sampling.imageSize, 3]),
            ArrayDeclaration("mask", .uint8, [gridSize * gridSize], zeros: visiblePatchCount),
            ArrayDeclaration("views", .int32, [1, View.fieldCount]),
        ]
    }

    /// Patches along one side of a picture.
    private var gridSize: Int { sampling.imageSize / patchSize }

    /// Patches that stay visible, the same for every sample.
    public var visiblePatchCount: Int { MaskPattern.random.visibleCount(of: gridSize * gridSize, ratio: mask.ratio) }

    public var problem: (key: String, message: String)? {
        let checks =
            cropChecks(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip)
            + visitChecks(repeatedSampling, of: "pictures") + patchChecks(imageSize: sampling.imageSize, patchSize: patchSize)
        let masks = maskChecks(of: "the picture", ratio: mask.ratio, pattern: .random, patches: gridSize * gridSize, once: checks)
        return (checks + masks).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    public func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] {
        var (frames, crops, flips, masks) = (draw.stream(.frames), draw.stream(.crop), draw.stream(.flip), draw.stream(.mask))
        let point = Timeline(of: draw.record, rate: 0).drawPoint(from: &frames)
        let (box, isFlipped) = draw.cut(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip, &crops, &flips)
        let view = draw.view(point, box, isFlipped: isFlipped)
        sample.write(MaskPattern.random.draw(side: gridSize, visible: visiblePatchCount, from: &masks), to: "mask")
        return sample.write([view], size: sampling.imageSize)
    }
}
