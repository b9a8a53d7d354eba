/// Two views of one picture, each with colours of its own; of the first, rectangles and single patches are hidden: SiameseIM's samples (Tao
/// et al., arXiv 2206.01204, section 3; OpenGVLab/Siamese-Image-Modeling util/datasets.py and util/masking_generator.py, whose numbers the
/// defaults are). Of a video, one of its frames, each as likely as the others; of a still, the still.
///
/// Arrays: `frames` u8 `[2, S, S, 3]`; `mask` u8 `[N]`, 1 where a patch of the first view is hidden, in row order; `geometry` f32 `[6]`,
/// where the second view lies, see ``View/geometry(of:frameWidth:)``; `views` i32 `[2, 7]`, see ``View``.
public struct ViewPairSampler: Sampler {
    public static let name = "view-pair"

    /// How the picture is chosen, cut and mirrored.
    public var sampling = Sampling()
    /// Which patches of the first view are hidden.
    public var mask = Mask()
    /// Side of a patch in pixels, the model's; divides `sampling.imageSize`.
    public var patchSize = 16

    public init() {}

    /// How a sample is taken from a video.
    public struct Sampling: Codable, Equatable, Sendable {
        /// Height and width of the views in pixels.
        public var imageSize = 224
        /// Smallest and largest area of a view as a share of the frame, drawn uniformly.
        public var cropArea = [0.08, 1.0]
        /// Smallest and largest width over height of a view, drawn log-uniformly.
        public var cropAspect = [3.0 / 4, 4.0 / 3]
        /// Chance that a view is mirrored.
        public var flip = 0.5
        /// Samples taken from a video each time it is opened.
        public var repeatedSampling = 1

        public init() {}
    }

    /// Which patches are hidden: rectangles, and single patches beside them, see ``BlockMask``.
    public struct Mask: Codable, Equatable, Sendable {
        /// Share of the patches that is hidden, to the nearest patch: 118 of 196.
        public var ratio = 0.6

        public init() {}
    }

    public var repeatedSampling: Int { sampling.repeatedSampling }

    public var arrays: [ArrayDeclaration] {
        [
            ArrayDeclaration("frames", .uint8, [2, sampling.imageSize, sampling.imageSize, 3]),
            ArrayDeclaration("mask", .uint8, [patchCount], zeros: visiblePatchCount),
            ArrayDeclaration("geometry", .float32, [6]),
            ArrayDeclaration("views", .int32, [2, View.fieldCount]),
        ]
    }

    /// Patches along one side of a view.
    private var gridSize: Int { sampling.imageSize / patchSize }

    /// Patches of a view.
    private var patchCount: Int { gridSize * gridSize }

    /// Patches of the first view that stay visible, the same for every sample.
    public var visiblePatchCount: Int { visibleCount(of: patchCount) }

    private func visibleCount(of patches: Int) -> Int { patches - Int((mask.ratio * Double(patches)).rounded()) }

    public var problem: (key: String, message: String)? {
        let checks =
            cropChecks(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip)
            + visitChecks(repeatedSampling, of: "pictures") + patchChecks(imageSize: sampling.imageSize, patchSize: patchSize)
        let masks = maskChecks(of: "the picture", ratio: mask.ratio, patches: patchCount, once: checks) { patches in
            visibleCount(of: patches)
        } hidesNothing: { patches in
            "is \(mask.ratio), which hides no patch of \(patches), so that the first view is whole: raise it"
        }
        return (checks + masks).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    public func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] {
        var (frames, crops, flips, masks) = (draw.stream(.frames), draw.stream(.crop), draw.stream(.flip), draw.stream(.mask))
        let point = Timeline(of: draw.record, rate: 0).drawPoint(from: &frames)
        let views = (0..<2).map { _ in
            let (box, isFlipped) = draw.cut(area: sampling.cropArea, aspect: sampling.cropAspect, flip: sampling.flip, &crops, &flips)
            return draw.view(point, box, isFlipped: isFlipped)
        }
        let block = BlockMask.exactly(patchCount - visiblePatchCount, rows: gridSize, columns: gridSize)
        sample.write(block.draw(from: &masks), to: "mask")
        sample.write(views[0].geometry(of: views[1], frameWidth: draw.record.width), to: "geometry")
        return sample.write(views, size: sampling.imageSize)
    }

    /// Gives both views their colours.
    public func finish(_ sample: SampleWriter, of draw: Draw) {
        var stream = draw.stream(.color)
        for (picture, photometrics) in zip(sample.pictures("frames"), [Photometrics.first, .second]) {
            photometrics.draw(from: &stream).apply(to: picture, side: sampling.imageSize)
        }
    }
}
