/// Many views of one picture, two large and some small, each with colours of its own; of the large ones rectangles are hidden in half of
/// all cases: iBOT's samples (Zhou et al., arXiv 2111.07832, section 4; bytedance/ibot main_ibot.py and loader.py, whose numbers the
/// defaults are). Of a video, one of its frames, each as likely as the others; of a still, the still.
///
/// Arrays: `globals` u8 `[2, S, S, 3]`; `locals` u8 `[L, s, s, 3]`, absent where L is 0; `mask` u8 `[2 N]`, 1 where a patch is hidden,
/// those of the first large view first, in row order; `views` i32 `[2 + L, 7]`, see ``View``, the large ones first.
public struct MultiCropSampler: Sampler {
    public static let name = "multi-crop"

    /// How the picture is chosen, cut and mirrored.
    public var sampling = Sampling()
    /// Which patches of the large views are hidden.
    public var mask = Mask()
    /// Side of a patch in pixels, the model's; divides both sizes.
    public var patchSize = 16

    public init() {}

    /// How a sample is taken from a video.
    public struct Sampling: Codable, Equatable, Sendable {
        /// Height and width of the two large views in pixels.
        public var imageSize = 224
        /// Height and width of the small views in pixels.
        public var localSize = 96
        /// Small views of a sample.
        public var localCrops = 10
        /// Smallest and largest area of a large view as a share of the frame, drawn uniformly.
        public var globalArea = [0.25, 1.0]
        /// Smallest and largest area of a small view likewise.
        public var localArea = [0.05, 0.25]
        /// Smallest and largest width over height of every view, drawn log-uniformly.
        public var cropAspect = [3.0 / 4, 4.0 / 3]
        /// Chance that a view is mirrored.
        public var flip = 0.5
        /// Samples taken from a video each time it is opened.
        public var repeatedSampling = 1

        public init() {}
    }

    /// Which patches are hidden: rectangles, see ``BlockMask``.
    public struct Mask: Codable, Equatable, Sendable {
        /// Share of the patches that is hidden at most, in the middle.
        public var ratio = 0.3
        /// By how much that share lies above or below at most, drawn uniformly.
        public var ratioVariance = 0.2
        /// Chance that patches of a large view are hidden at all.
        public var chance = 0.5

        public init() {}
    }

    /// Large views of a sample.
    private static let globalCrops = 2

    public var repeatedSampling: Int { sampling.repeatedSampling }

    public var arrays: [ArrayDeclaration] {
        let (views, patches) = (Self.globalCrops + sampling.localCrops, Self.globalCrops * gridSize * gridSize)
        var arrays = [
            ArrayDeclaration("globals", .uint8, [Self.globalCrops, sampling.imageSize, sampling.imageSize, 3]),
            ArrayDeclaration("mask", .uint8, [patches], zeros: patches - Self.globalCrops * maximumMaskedCount...patches),
            ArrayDeclaration("views", .int32, [views, View.fieldCount]),
        ]
        if sampling.localCrops > 0 {
            arrays.insert(ArrayDeclaration("locals", .uint8, [sampling.localCrops, sampling.localSize, sampling.localSize, 3]), at: 1)
        }
        return arrays
    }

    /// Patches along one side of a large view.
    private var gridSize: Int { sampling.imageSize / patchSize }

    /// Patches of a large view that are hidden at most.
    public var maximumMaskedCount: Int {
        BlockMask.maximumCount(of: gridSize * gridSize, ratio: mask.ratio + mask.ratioVariance)
    }

    public var problem: (key: String, message: String)? {
        let checks: [SettingCheck] =
            areaChecks("sampling.globalArea", sampling.globalArea) + areaChecks("sampling.localArea", sampling.localArea)
            + aspectChecks(sampling.cropAspect) + flipChecks(sampling.flip) + visitChecks(repeatedSampling, of: "pictures")
            + patchChecks(imageSize: sampling.imageSize, patchSize: patchSize)
            + (sampling.localCrops == 0 ? [] : sizeChecks("sampling.localSize", sampling.localSize, patchSize: patchSize)) + [
                ("sampling.localCrops", (0...64).contains(sampling.localCrops), "is \(sampling.localCrops): from 0 to 64 small views")
            ]
        return (checks + maskChecks(once: checks)).first { !$0.holds }.map { ($0.key, $0.message) }
    }

    private func maskChecks(once others: [SettingCheck]) -> [SettingCheck] {
        let (ratio, variance) = (mask.ratio, mask.ratioVariance)
        let ranges: [SettingCheck] = [
            ("mask.ratio", ratio >= 0 && ratio < 1, "is \(ratio): from 0 to below 1; at 1 nothing of the picture is seen"),
            (
                "mask.ratioVariance", variance >= 0 && ratio - variance >= 0 && ratio + variance < 1,
                "is \(variance), but all of mask.ratio ± mask.ratioVariance must lie from 0 to below 1"
            ), ("mask.chance", (0...1).contains(mask.chance), "is \(mask.chance), but a chance lies between 0 and 1"),
        ]
        guard (others + ranges).allSatisfy(\.holds) else { return ranges }
        let patches = gridSize * gridSize
        return [
            (
                "mask.ratio", maximumMaskedCount > 0 || mask.chance == 0,
                "is \(ratio), which hides no patch of \(patches): raise it, or set mask.chance to 0"
            )
        ]
    }

    public func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] {
        var (frames, crops, flips, masks) = (draw.stream(.frames), draw.stream(.crop), draw.stream(.flip), draw.stream(.mask))
        let point = Timeline(of: draw.record, rate: 0).drawPoint(from: &frames)
        func view(_ area: [Double]) -> View {
            let (box, isFlipped) = draw.cut(area: area, aspect: sampling.cropAspect, flip: sampling.flip, &crops, &flips)
            return draw.view(point, box, isFlipped: isFlipped)
        }
        let globals = (0..<Self.globalCrops).map { _ in view(sampling.globalArea) }
        let locals = (0..<sampling.localCrops).map { _ in view(sampling.localArea) }
        sample.write((0..<Self.globalCrops).flatMap { _ in drawMask(from: &masks) }, to: "mask")
        sample.write(globals + locals)
        return sample.place(globals, in: "globals", size: sampling.imageSize) + sample.place(locals, in: "locals", size: sampling.localSize)
    }

    /// The mask of one large view: the published list of shares is none and `ratio`, each as likely as the other.
    private func drawMask(from stream: inout RandomStream) -> [UInt8] {
        let isMasked = stream.uniform01() < mask.chance
        let ratio = stream.number(from: mask.ratio - mask.ratioVariance, to: mask.ratio + mask.ratioVariance)
        return BlockMask.upTo(ratio: isMasked ? ratio : 0, rows: gridSize, columns: gridSize).draw(from: &stream)
    }

    /// Gives every view its colours.
    public func finish(_ sample: SampleWriter, of draw: Draw) {
        var stream = draw.stream(.color)
        for (picture, photometrics) in zip(sample.pictures("globals"), [Photometrics.first, .second]) {
            photometrics.draw(from: &stream).apply(to: picture, side: sampling.imageSize)
        }
        guard sampling.localCrops > 0 else { return }
        for picture in sample.pictures("locals") {
            Photometrics.local.draw(from: &stream).apply(to: picture, side: sampling.localSize)
        }
    }
}
