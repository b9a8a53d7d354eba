extension EncoderWeights {
    /// What the arrays of a file belong to.
    public enum Part: String, CaseIterable, Sendable {
        /// What encodes the patches that are seen, and what makes the hidden ones, or a prediction, of that.
        case encoder, decoder
        /// What a training without a decoder has on top of the encoder, and classifiers.
        case head
        /// A network that follows the one that is trained, with all that is its own.
        case teacher
        /// Tables of positions, learned or not.
        case positions
        /// What a training's optimizer keeps from step to step.
        case optimizer
        /// Whatever else.
        case other
    }

    /// The part that an array belongs to, by its name without ``prefix``.
    static func part(_ name: String) -> Part {
        func begins(_ beginnings: String...) -> Bool { beginnings.contains(where: name.hasPrefix) }
        if name == "cls_token" || name == "frame_embed" || begins("patch_embed.", "blocks.", "norm.", encoderPart) { return .encoder }
        if begins("pos_embed", "decoder_pos_embed") { return .positions }
        let decoders = ["decoder_", "decoder.", "encoder_to_decoder.", "projector_decoder_blocks.", "predictor_decoder_blocks."]
        if name == "mask_token" || decoders.contains(where: name.hasPrefix) { return .decoder }
        if begins("head.") { return .head }
        if begins("mm_") { return .teacher }
        return begins("optimizer.") ? .optimizer : .other
    }

    /// Where VideoMAE has its encoder.
    static let encoderPart = "encoder."

    static func isEncoders(_ name: String) -> Bool {
        // An embedding that tells frames apart serves several at once; a single picture has none, and timm does not know it.
        name.hasPrefix("pos_embed") || (part(name) == .encoder && name != "frame_embed")
    }

    /// Whether an array belongs to a model beside its encoder. How many steps a teacher has followed is known to Tandem's trainings alone.
    static func isBesideEncoder(_ name: String) -> Bool {
        name.hasPrefix("decoder_pos_embed") || name == "frame_embed" || part(name) == .decoder
            || (part(name) == .teacher && name != "mm_steps")
    }
}

extension WeightFile {
    /// The numbers of each part of a model. A network that is the average of another counts apart; one that stands alone is the encoder.
    public var numbersOfParts: [EncoderWeights.Part: Int] {
        let (networks, trained) = (networks, networks.filter { $0.averagedBranch == nil })
        let averaged = trained.isEmpty ? [] : networks.compactMap(\.averagedBranch)
        let paths = (trained.isEmpty ? networks : trained).map { $0.prefix.split(separator: ".") }
        var numbers: [EncoderWeights.Part: Int] = [:]
        for (key, entry) in entries {
            let path = key.split(separator: ".", omittingEmptySubsequences: false)
            // What stands beside the encoder, such as its head, shares the beginning of the path.
            let shared = paths.map { zip($0, path).prefix { $0 == $1 }.count }.max() ?? 0
            let isAveraged = averaged.contains(where: key.hasPrefix)
            let part = isAveraged ? .teacher : EncoderWeights.part(path.dropFirst(shared).joined(separator: "."))
            numbers[part, default: 0] += entry.count
        }
        return numbers
    }
}
