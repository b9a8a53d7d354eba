extension SiamMAE {
    /// Sizes of encoder and decoder, how the frames meet in them, and the form of the loss.
    public struct Configuration: Codable, Equatable, Sendable {
        /// The encoder's size.
        public var encoder: EncoderConfiguration
        /// The decoder's size.
        public var decoder: DecoderConfiguration
        /// Whether the encoder sees each frame by itself or both at once.
        public var encoderKind: EncoderKind
        /// How the decoder's tokens of the future frame look at the past one.
        public var decoderKind: DecoderKind
        /// Whether each target patch is normalised by its own mean and variance; raw pixels otherwise.
        public var normalizesPatches: Bool

        /// The defaults are the paper's: a siamese encoder, a cross-self decoder, and a target without each patch's own mean and variance.
        public init(
            encoder: EncoderConfiguration, decoder: DecoderConfiguration, encoderKind: EncoderKind = .siamese,
            decoderKind: DecoderKind = .crossSelf, normalizesPatches: Bool = true
        ) {
            self.encoder = encoder
            self.decoder = decoder
            self.encoderKind = encoderKind
            self.decoderKind = decoderKind
            self.normalizesPatches = normalizesPatches
        }

        /// What is impossible about these numbers, in one sentence; nil if they make sense.
        public var problem: String? {
            if let problem = encoder.problem { return "encoder: \(problem)" }
            return transformerProblem(width: decoder.width, depth: decoder.depth, heads: decoder.heads).map { "decoder: \($0)" }
        }
    }

    /// Whether the encoder sees each frame by itself or both at once.
    public enum EncoderKind: String, Codable, CaseIterable, Sendable {
        /// Each frame is a sequence of its own; the weights are shared.
        case siamese
        /// A pair is one sequence, `[CLS, past tokens, future tokens]`, with a learned embedding for either frame.
        case joint
    }

    /// How the decoder's tokens of the future frame look at the past one.
    public enum DecoderKind: String, Codable, CaseIterable, Sendable {
        /// By cross-attention, and then at each other by self-attention.
        case crossSelf = "cross-self"
        /// By cross-attention alone.
        case cross
        /// By self-attention: a pair is one sequence, `[CLS, past tokens, future tokens]`, with a learned embedding for either frame.
        case joint
    }

    /// The size of a decoder.
    public struct DecoderConfiguration: Codable, Equatable, Sendable {
        /// Numbers per token; a multiple of four.
        public var width: Int
        /// Number of blocks.
        public var depth: Int
        /// Attention heads per block; divides the width.
        public var heads: Int

        /// A decoder of a free size.
        public init(width: Int, depth: Int, heads: Int) {
            self.width = width
            self.depth = depth
            self.heads = heads
        }

        /// MAE's decoder, 512 wide, 8 deep, 16 heads: the default of SiamMAE's retrainings.
        public static let mae = DecoderConfiguration(width: 512, depth: 8, heads: 16)
        /// CropMAE's decoder, 256 wide, 4 deep, 8 heads: half the work of a step with ViT-S/16.
        public static let small = DecoderConfiguration(width: 256, depth: 4, heads: 8)
    }
}
