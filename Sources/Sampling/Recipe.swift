/// How samples are drawn from videos. Plain values: who reads them from a person checks them.
public struct Recipe: Codable, Equatable, Sendable {
    /// Side of a picture in pixels.
    public var imageSize: Int
    /// Side of a patch in pixels; divides ``imageSize``.
    public var patchSize: Int
    /// Ticks between the two frames of a pair, both bounds included.
    public var frameGap: ClosedRange<Int>
    /// Ticks a second of the timeline on which gaps are counted, whatever the video's own rate; 0: ticks are the video's frames.
    public var timelineRate: Int
    /// Share of the frame that a crop covers, drawn uniformly.
    public var cropArea: ClosedRange<Double>
    /// Width over height of a crop, drawn log-uniformly.
    public var cropAspect: ClosedRange<Double>
    /// Probability that a sample is mirrored.
    public var flipProbability: Double
    /// Samples drawn from a video each time it is opened.
    public var repeatedSampling: Int
    /// Whether both frames of a pair have one crop and one flip.
    public var crops: CropSharing
    /// Share of a masked frame's patches that the encoder does not see, in 0..<1.
    public var maskRatio: Double
    /// Which patches stay visible.
    public var maskPattern: MaskPattern
    /// Which frames are masked.
    public var maskedFrames: MaskedFrames

    /// The defaults are the paper's (SiamMAE, arXiv 2305.14344, section 4 and Table 4a).
    public init(
        imageSize: Int = 224, patchSize: Int = 16, frameGap: ClosedRange<Int> = 4...48, timelineRate: Int = 30,
        cropArea: ClosedRange<Double> = 0.5...1, cropAspect: ClosedRange<Double> = 3.0 / 4.0...4.0 / 3.0, flipProbability: Double = 0.5,
        repeatedSampling: Int = 2, crops: CropSharing = .shared, maskRatio: Double = 0.95, maskPattern: MaskPattern = .random,
        maskedFrames: MaskedFrames = .asymmetric
    ) {
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.frameGap = frameGap
        self.timelineRate = timelineRate
        self.cropArea = cropArea
        self.cropAspect = cropAspect
        self.flipProbability = flipProbability
        self.repeatedSampling = repeatedSampling
        self.crops = crops
        self.maskRatio = maskRatio
        self.maskPattern = maskPattern
        self.maskedFrames = maskedFrames
    }

    /// The samples of a ticket.
    public func samples(ofTicket ticket: Int) -> Range<Int> { ticket * repeatedSampling..<(ticket + 1) * repeatedSampling }

    /// Patches along one side of a picture.
    public var gridSize: Int { imageSize / patchSize }

    /// Patches of one picture.
    public var patchCount: Int { gridSize * gridSize }

    /// Patches of a masked picture that stay visible: `int(patchCount * (1 - maskRatio))` in double precision, as facebookresearch/mae
    /// counts them, so 9 of 196 at 0.95; of a grid the largest square that is no more. The same for every sample.
    public var visiblePatchCount: Int { maskPattern.visibleCount(limit: Int(Double(patchCount) * (1 - maskRatio))) }
}
