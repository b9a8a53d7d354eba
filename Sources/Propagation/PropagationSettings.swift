import Base

/// The size frames are brought to before the encoder sees them.
public enum InputSize: Equatable, Sendable, LosslessStringConvertible {
    /// Height and width, whatever the frame's own shape: "480x880".
    case exact(height: Int, width: Int)
    /// The shorter side; the longer one follows, rounded down as DINO does it, to a multiple of 64 pixels: "480".
    case shortSide(Int)
    /// The longer side; the shorter one follows, rounded down as CropMAE does it, to a multiple of 64 pixels: "long880".
    case longSide(Int)

    /// Help for the option `--size`, and what it wants.
    public static let help = "frames are scaled to height H and width W, or to short or long side S"
    /// What the option takes, as a message puts it that refuses something else.
    public static let wanted = "HEIGHTxWIDTH, a short side or longSIDE, of 1 to \(longest) pixels"

    /// Pixels of the longest side that can be asked for, and patches of the largest picture.
    private static let longest = 16_384
    private static let maximumPatches = 65_536

    /// Reads "HEIGHTxWIDTH", "SHORT_SIDE" or "longSIDE".
    public init?(_ text: String) {
        func side(_ text: some StringProtocol) -> Int? { Int(text).flatMap { (1...Self.longest).contains($0) ? $0 : nil } }
        if text.hasPrefix("long") {
            guard let side = side(text.dropFirst(4)) else { return nil }
            self = .longSide(side)
            return
        }
        let numbers = text.split(separator: "x", omittingEmptySubsequences: false).map { side($0) }
        switch numbers.count {
        case 1:
            guard let side = numbers[0] else { return nil }
            self = .shortSide(side)
        case 2:
            guard let height = numbers[0], let width = numbers[1] else { return nil }
            self = .exact(height: height, width: width)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .exact(let height, let width): "\(height)x\(width)"
        case .shortSide(let side): "\(side)"
        case .longSide(let side): "long\(side)"
        }
    }

    /// The input's height and width for a frame, in whole patches. Throws where a given size is not whole patches, and where these are too
    /// many for the encoder, whose attention grows with their square.
    public func resolved(frameHeight: Int, frameWidth: Int, patchSize: Int) throws -> (height: Int, width: Int) {
        let size = try wholePatches(frameHeight: frameHeight, frameWidth: frameWidth, patchSize: patchSize)
        let patches = (size.height / patchSize) * (size.width / patchSize)
        guard patches <= Self.maximumPatches else {
            throw Failure(
                "a frame of \(frameWidth)x\(frameHeight) pixels becomes \(size.width)x\(size.height) by the input size \(self): \(patches)"
                    + " patches, above the limit of \(Self.maximumPatches); choose a smaller size")
        }
        return size
    }

    private func wholePatches(frameHeight: Int, frameWidth: Int, patchSize: Int) throws -> (height: Int, width: Int) {
        func checked(_ side: Int) throws -> Int {
            guard side % patchSize == 0 else {
                throw Failure("the input size \(self) is not a whole number of \(patchSize)-pixel patches")
            }
            return side
        }
        /// The side that follows from `given`, which `own` is brought to.
        func following(_ other: Int, _ own: Int, _ given: Int) -> Int {
            let step = 64 % patchSize == 0 ? 64 : patchSize
            return max(1, other * given / own / step) * step
        }
        switch self {
        case .exact(let height, let width): return (try checked(height), try checked(width))
        case .shortSide(let side) where frameWidth >= frameHeight:
            return (try checked(side), following(frameWidth, frameHeight, side))
        case .longSide(let side) where frameWidth < frameHeight:
            return (try checked(side), following(frameWidth, frameHeight, side))
        case .shortSide(let side), .longSide(let side):
            return (following(frameHeight, frameWidth, side), try checked(side))
        }
    }
}

/// A named set of all numbers of a propagation.
public enum PropagationPreset: String, CaseIterable, Codable, Sendable {
    /// CropMAE's, which its authors took from SiamMAE where it tells them.
    case cropmae
    /// SiamMAE's (table 4b), where it differs from CropMAE's: VIP with radius 8, at 560 x 560.
    case paper
    /// DINO's for DAVIS, at its frames' own height of 480.
    case dino
}

/// How labels are propagated. The defaults are CropMAE's for DAVIS.
public struct PropagationSettings: Equatable, Sendable {
    /// Which of the published ways of propagation is taken.
    public var family = PropagationFamily.videowalk
    /// How many context cells each cell takes its label from.
    public var topK = 7
    /// How many of the last frames are context, beside the first one.
    public var queue = 20
    /// How far away context cells may lie, in grid cells: inside a disc, or for ``PropagationFamily/dino`` in a square, where 0 sets no limit.
    public var radius = 20.0
    /// Divides similarities before the softmax.
    public var temperature = 0.7
    /// The size that frames are brought to before they are encoded.
    public var inputSize = InputSize.exact(height: 480, width: 880)
    /// Frames that the encoder sees for one: the clip around it, which needs an encoder of clips. 1: the frame alone.
    public var clip = 1

    /// CropMAE's numbers for DAVIS.
    public init() {}

    /// The numbers of a preset for a benchmark.
    ///
    /// Source: CropMAE: downstreams/propagation/util.py; SiamMAE, table 4b; DINO: eval_video_segmentation.py.
    public init(_ preset: PropagationPreset, for benchmark: Benchmark) {
        switch benchmark {
        case .davis: break
        case .jhmdb: inputSize = .exact(height: 320, width: 320)
        case .vip: (topK, inputSize) = (10, .longSide(880))
        }
        switch (preset, benchmark) {
        case (.cropmae, _): break
        case (.paper, .vip): (radius, inputSize) = (8, .exact(height: 560, width: 560))
        case (.paper, _): break
        case (.dino, _):
            (family, topK, queue, radius, temperature) = (.dino, 5, 7, 12, 0.1)
            if benchmark == .davis { inputSize = .shortSide(480) }
        }
    }

    /// Throws where a number makes no sense.
    public func validate() throws {
        guard (1...1000).contains(topK) else { throw Failure("top-k is \(topK); it takes 1 to 1000") }
        guard (1...1000).contains(queue) else { throw Failure("the queue holds \(queue) frames; it takes 1 to 1000") }
        guard radius > 0 || (radius == 0 && family == .dino), radius.isFinite else {
            throw Failure("the radius is \(radius); it must be above 0, or 0 with family dino for no limit")
        }
        guard (1...256).contains(clip) else { throw Failure("the clip around a frame has \(clip) frames; it takes 1 to 256") }
        guard (1e-4...1e4).contains(temperature) else { throw Failure("the temperature is \(temperature); it takes 0.0001 to 10000") }
    }
}
