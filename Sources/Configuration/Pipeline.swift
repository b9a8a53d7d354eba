import Compute
import Models
import Propagation
import Sampling

/// One run, as `Pipelines/NAME.json5` describes it. Every key has a default: SiamMAE's published recipe (arXiv 2305.14344, Table 4a).
public struct Pipeline: Codable, Equatable, Sendable {
    /// Names the run folder, `runs/NAME`.
    public var name = "siammae"
    /// All randomness of the run comes from it.
    public var seed: UInt64 = 0
    public var data = Data()
    /// How a sample is taken from a video.
    public var sampling = FramePairSampler.Sampling()
    /// Which patches are hidden.
    public var mask = FramePairSampler.Mask()
    public var model = Model()
    public var train = Train()
    public var dataflow = Dataflow()
    public var evaluation = Evaluation()

    public init() {}

    /// Where the videos are.
    public struct Data: Codable, Equatable, Sendable {
        /// Folder of videos, prepared by `tandem prepare`; or the `http://` or `https://` root of a server that has it, and then `manifest`
        /// is needed.
        public var media = ""
        /// The manifest; empty: `manifest.tandem` in `media`.
        public var manifest = ""
        /// Whether decoders replace videos whose content is not what was prepared, not only those of another size: each decoder reads every
        /// video through for that once.
        public var verifyContent = false

        /// The manifest's path.
        public var manifestPath: String { manifest.isEmpty ? media + "/manifest.tandem" : manifest }
    }

    /// The network.
    public struct Model: Codable, Equatable, Sendable {
        /// The encoder: "ti16", "s16", "s8", "b16", "l16", or its own `{ patch, width, depth, heads }`.
        public var size = EncoderSize.preset("s16")
        /// The decoder: "mae" (512 wide, 8 deep), "small" (256, 4), or its own `{ width, depth, heads }`.
        public var decoderSize = DecoderSize.preset("mae")
        /// "siamese": each frame by itself, with shared weights; "joint": both frames in one sequence.
        public var encoder = SiamMAE.EncoderKind.siamese
        /// How the second frame looks at the first: "cross-self", by cross-attention and then at itself; "cross", by cross-attention alone;
        /// "joint", by self-attention over both.
        public var decoder = SiamMAE.DecoderKind.crossSelf
        /// Whether the target is normalised patch by patch.
        public var normalizedPixelLoss = true
    }

    /// How the weights are learned.
    public struct Train: Codable, Equatable, Sendable {
        /// Length of the run in epochs of one pair a video.
        public var epochs = 400.0
        /// Length of the run in steps; 0: what `epochs` gives.
        public var steps = 0
        /// Epochs of linear warm-up. Where `steps` shortens the run, the warm-up shrinks with it.
        public var warmupEpochs = 40.0
        /// Pairs a step.
        public var batch = 2048
        /// Pairs that go through the network at once; their gradients add up to the batch's. 0: the whole batch.
        public var microBatch = 16
        /// Learning rate for 256 pairs a step; scales with `batch`.
        public var baseLearningRate = 1.5e-4
        public var weightDecay = 0.05
        public var betas = [0.9, 0.95]
        /// Steps between checkpoints.
        public var checkpointEvery = 500
        /// Checkpoints kept, counted from the last.
        public var keepCheckpoints = 3
        /// What the trainer computes on: "cpu".
        public var device = Device.cpu
        /// What products are computed in: "f32", or "bf16" with sums, weights and the optimizer in f32.
        public var precision = Precision.f32
        /// Whether activations are computed again in the backward pass instead of kept: a third more work, much less memory.
        public var recompute = false
        /// Threads of the trainer; 0: one a core.
        public var threads = 0
    }

    /// The processes and the memory between them.
    public struct Dataflow: Codable, Equatable, Sendable {
        /// Decoder processes that `tandem run` starts.
        public var decoders = 2
        /// What the batcher process may take, in MiB: itself, its queues and, with all the rest, samples asked for or held.
        public var batcherMemory = 512
        /// Batches under way to the trainer, in MiB.
        public var trainerMemory = 256
        /// Samples a decoder may have asked for, in MiB.
        public var decoderMemory = 64
        /// Share of videos that may fail before the run stops.
        public var failureLimit = 0.1
        /// Seconds to wait for a process that is not there: longer than a host takes to start again, or a cable to be found.
        public var patience = 600.0
    }

    /// Label propagation beside the training.
    public struct Evaluation: Codable, Equatable, Sendable {
        /// Root of the DAVIS data set; empty: not scored.
        public var davis = ""
        /// Root of the JHMDB data set; empty: not scored.
        public var jhmdb = ""
        /// Root of the VIP data set; empty: not scored.
        public var vip = ""
        /// Steps between evaluations; 0: only the first and the last checkpoint.
        public var every = 0
        /// Steps between quick scores of DAVIS, by nearest neighbours in the first frame; 0: none.
        public var quickEvery = 0
        /// All numbers of the propagation: "cropmae", "paper" or "dino". Those below override it for every data set.
        public var preset = PropagationPreset.cropmae
        /// Height and width that frames are scaled to; one number: the short side; empty: the preset's.
        public var size: [Int] = []
        /// Neighbours that vote for a token's label; 0: the preset's.
        public var topK = 0
        /// Frames before the current one that may vote, beside the first; 0: the preset's.
        public var queue = 0
        /// Radius of the neighbourhood in tokens; 0: the preset's.
        public var radius = 0.0
        /// Divides similarities before the softmax; 0: the preset's.
        public var temperature = 0.0
    }
}

/// An encoder's size: a preset's name or its numbers.
public enum EncoderSize: Equatable, Sendable {
    case preset(String)
    case free(patch: Int, width: Int, depth: Int, heads: Int)
}

/// A decoder's size: a preset's name or its numbers.
public enum DecoderSize: Equatable, Sendable {
    case preset(String)
    case free(width: Int, depth: Int, heads: Int)
}

extension EncoderSize: Codable {
    private struct Numbers: Codable { var patch, width, depth, heads: Int }

    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            self = .preset(name)
        } else {
            let numbers = try Numbers(from: decoder)
            self = .free(patch: numbers.patch, width: numbers.width, depth: numbers.depth, heads: numbers.heads)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .preset(let name): try name.encode(to: encoder)
        case .free(let patch, let width, let depth, let heads):
            try Numbers(patch: patch, width: width, depth: depth, heads: heads).encode(to: encoder)
        }
    }
}

extension DecoderSize: Codable {
    private struct Numbers: Codable { var width, depth, heads: Int }

    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            self = .preset(name)
        } else {
            let numbers = try Numbers(from: decoder)
            self = .free(width: numbers.width, depth: numbers.depth, heads: numbers.heads)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .preset(let name): try name.encode(to: encoder)
        case .free(let width, let depth, let heads): try Numbers(width: width, depth: depth, heads: heads).encode(to: encoder)
        }
    }
}
