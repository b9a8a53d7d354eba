/// Short clips, cut alike throughout, of which the same places are hidden in every step in time, or those that follow the motion: VideoMAE's
/// samples (Tong et al., arXiv 2203.12602, sections 3.3 and 4; MCG-NJU/VideoMAE kinetics.py and transforms.py, whose numbers the defaults are)
/// and those of its successors.
///
/// Arrays: `frames` u8 `[T, S, S, 3]`; `mask` u8 `[N]`, 1 where a patch is hidden, over time, then in row order; `views` i32 `[T, 7]`, see
/// ``View``; and, where a decoder leaves places out, `decoded` u8 `[N]`, 1 where it does.
public struct ClipSampler: Sampler {
    public static let name = "clip"

    /// How the frames are chosen, cut and mirrored.
    public var sampling = Sampling()
    /// Which patches of them are hidden.
    public var mask = Mask()
    /// Side of a patch in pixels, the model's; divides `sampling.imageSize`.
    public var patchSize = 16
    /// Frames of a patch, the model's; divides `sampling.frames`.
    public var tubelet = 2
    /// Share of the places that a decoder leaves out, quarter by quarter; see ``RunningCellMask``. 0: there is no such mask.
    public var decoderRatio = 0.0
    /// Whether all samples of a visit to a video show the same frames, each cut and masked by itself.
    public var sharesFrames = false
    /// Whether what is visible follows the motion of the clip, see ``MotionMask``, instead of staying in its places.
    public var followsMotion = false

    public init() {}

    /// How a sample is taken from a video.
    public struct Sampling: Codable, Equatable, Sendable {
        /// Height and width of the crops in pixels.
        public var imageSize = 224
        /// Frames of a clip.
        public var frames = 16
        /// Distance of one frame to the next, in frames of the timeline.
        public var stride = 4
        /// "raw-index": every video is seen as its frames are, whatever its rate; "presentation-time": at 30 frames a second.
        public var timeline = TimelineKind.rawIndex
        /// Sides that a crop may have, as shares of the frame's shorter side, the largest first; width and height are drawn together, equal
        /// or next to each other in this list.
        public var cropScales = [1, 0.875, 0.75, 0.66]
        /// Chance that a sample is mirrored.
        public var flip = 0.0
        /// Samples taken from a video each time it is opened.
        public var repeatedSampling = 1

        public init() {}
    }

    /// Which patches are hidden: a random set of places, in every step in time.
    public struct Mask: Codable, Equatable, Sendable {
        /// Share of the places that is hidden.
        public var ratio = 0.9

        public init() {}
    }

    public var repeatedSampling: Int { sampling.repeatedSampling }
    public var minimumFrames: Int { 2 }

    public func outlasts(_ record: VideoRecord) -> Bool {
        Timeline(of: record, rate: sampling.timeline.rate).count < sampling.frames * sampling.stride
    }

    public var arrays: [ArrayDeclaration] {
        let (frames, size, tokens) = (sampling.frames, sampling.imageSize, stepCount * gridSize * gridSize)
        var arrays = [
            ArrayDeclaration("frames", .uint8, [frames, size, size, 3]),
            ArrayDeclaration("mask", .uint8, [tokens], zeros: stepCount * visiblePlaceCount),
            ArrayDeclaration("views", .int32, [frames, View.fieldCount]),
        ]
        if hasDecoderMask { arrays.append(ArrayDeclaration("decoded", .uint8, [tokens], zeros: tokens / 4 * decodedOfCell)) }
        return arrays
    }

    /// Whether a decoder leaves places out.
    var hasDecoderMask: Bool { decoderRatio != 0 }

    /// Of four places those that a decoder predicts.
    var decodedOfCell: Int { 4 - RunningCellMask.leftOut(ratio: decoderRatio) }

    /// Patches along one side of a frame.
    var gridSize: Int { sampling.imageSize / patchSize }

    /// Patches in a row over time.
    private var stepCount: Int { sampling.frames / tubelet }

    /// Places that stay visible in each step, the same for every sample.
    var visiblePlaceCount: Int { visibleCount(of: gridSize * gridSize) }

    /// Of some places those that stay visible.
    func visibleCount(of places: Int) -> Int {
        (followsMotion ? MotionMask.visibleCount : TubeMask.visibleCount)(places, mask.ratio)
    }

    /// Places that are drawn to be visible: with motion, in the middle of the clip.
    private var drawnPlaceCount: Int { TubeMask.visibleCount(of: gridSize * gridSize, ratio: mask.ratio) }

    public func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture] {
        var (frames, crops, flips, masks) = (draw.stream(.frames), draw.stream(.crop), draw.stream(.flip), draw.stream(.mask))
        if sharesFrames {
            frames = RandomStream(seed: draw.seed, purpose: .frames, ticket: draw.ticket, attempt: draw.attempt)
        }
        let points = Timeline(of: draw.record, rate: sampling.timeline.rate)
            .drawClip(frames: sampling.frames, stride: sampling.stride, from: &frames)
        let box = CropBox.multiScale(
            width: draw.record.width, height: draw.record.height, scales: sampling.cropScales, size: sampling.imageSize, from: &crops)
        let isFlipped = flips.uniform01() < sampling.flip
        let views = points.map { draw.view($0, box, isFlipped: isFlipped) }
        let places = MaskPattern.random.draw(side: gridSize, visible: drawnPlaceCount, from: &masks)
        sample.write(TubeMask.mask(places, steps: stepCount), to: "mask")
        if hasDecoderMask {
            let start = masks.uniform(below: 4)
            sample.write(
                RunningCellMask.mask(start: start, steps: stepCount, rows: gridSize, columns: gridSize, ratio: decoderRatio), to: "decoded")
        }
        return sample.write(views, size: sampling.imageSize, scaling: .bilinear)
    }

    /// Carries the places that were drawn through the clip, where they follow its motion.
    public func finish(_ sample: SampleWriter, of draw: Draw) {
        guard followsMotion else { return }
        let mask = sample.bytes("mask"), places = gridSize * gridSize
        let centres = (0..<places).filter { mask[$0] == 0 }
        let matching = BlockMatching(UnsafeRawBufferPointer(sample.bytes("frames")), frames: sampling.frames, side: sampling.imageSize)
        let motion = MotionMask(frames: sampling.frames, side: sampling.imageSize, patchSize: patchSize, tubelet: tubelet)
        sample.write(motion.mask(centres: centres, visible: visiblePlaceCount, flow: matching.flow), to: "mask")
    }
}
