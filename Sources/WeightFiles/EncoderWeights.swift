import Base
import Foundation

/// The encoder out of a file of weights: Tandem's, MAE's, timm's, DINO's, transformers', as safetensors or as PyTorch's own file, with or without a
/// decoder, a wrapper and optimizer state.
///
/// Sizes come from the arrays' shapes; the number of heads, which no array tells, from Tandem's metadata, else from the published encoders.
public struct EncoderWeights {
    /// Numbers that a token has.
    public let width: Int
    /// Number of transformer blocks.
    public let depth: Int
    /// The number of attention heads; nil where neither the file nor a published encoder of this size tells it.
    public let heads: Int?
    /// Side of a patch in pixels.
    public let patchSize: Int
    /// The width of the square token grid the encoder was trained on, as its position embedding tells.
    public let gridSize: Int
    /// The file that the encoder is part of.
    public let file: WeightFile
    /// What stands in front of the encoder's names in the file: "" or a path that ends in a dot.
    public let prefix: String

    /// Reads a file.
    /// - Parameters:
    ///   - entry: the network to take where the file holds several, such as `student`; nil: the only one, or the averaged one.
    ///   - heads: the number of attention heads; nil: as above.
    public init(path: String, entry: String? = nil, heads: Int? = nil) throws {
        try self.init(WeightFile(path: path), entry: entry, heads: heads)
    }

    /// Reads what ``encoded()`` made.
    /// - Parameter name: what to call it in messages.
    public init(bytes: [UInt8], name: String) throws {
        try self.init(WeightFile(data: Data(bytes), name: name))
    }

    /// The encoder of a file that is open.
    public init(_ file: WeightFile, entry: String? = nil, heads chosenHeads: Int? = nil) throws {
        prefix = try file.encoderPrefix(entry: entry)
        let prefix = prefix
        let patchEntry = file.entries[prefix + "patch_embed.proj.weight"]
        if let patchEntry, !patchEntry.isReadable {
            throw ElementType.refusal(of: prefix + "patch_embed.proj.weight", in: file.name, holding: patchEntry.typeName)
        }
        if let patch = patchEntry?.shape, patch.count == 5 {
            throw Failure(
                "\(file.name) holds an encoder of clips, with patches of \(patch[2]) frames; label propagation, pictures of features and"
                    + " exports are of encoders of single pictures")
        }
        guard let patch = patchEntry?.shape, patch.count == 4, patch[1] == 3, patch[2] == patch[3], patch[0] > 0, patch[2] > 0 else {
            throw Failure(
                "\(file.name) holds no vision transformer: 'patch_embed.proj.weight' is missing or not [width, 3, patch, patch]")
        }
        let inBlocks = prefix + "blocks."
        let blocks = Set(
            file.entries.keys.compactMap { $0.hasPrefix(inBlocks) ? Int($0.dropFirst(inBlocks.count).prefix { $0 != "." }) : nil })
        guard !blocks.isEmpty, blocks == Set(0..<blocks.count) else {
            throw Failure("\(file.name) holds no whole vision transformer: of its blocks there are \(blocks.sorted())")
        }
        width = patch[0]
        depth = blocks.count
        patchSize = patch[2]
        heads = chosenHeads ?? file.encoderHeads ?? Self.publishedHeads(width: width, patchSize: patchSize)
        if let heads, heads < 1 || width % heads != 0 {
            throw Failure("\(heads) heads do not divide the width \(width) of the encoder in \(file.name)")
        }
        guard let positions = file.entries[prefix + "pos_embed"]?.shape, positions.count == 3, let side = Self.side(positions[1] - 1) else {
            throw Failure("\(file.name) holds no position embedding 'pos_embed' of a square grid and CLS")
        }
        gridSize = side
        self.file = file
    }

    /// The heads of the published encoders of a size; nil where none is known.
    ///
    /// Most have heads of 64, and what is not wider than one head has one. The others: MAE's ViT-H/14 (models_mae.py), and those of
    /// timm's vision_transformer.py (`so400m`, `giant`, `gigantic`), which differ in more than their heads.
    private static func publishedHeads(width: Int, patchSize: Int) -> Int? {
        switch (width, patchSize) {
        case (1280, 14), (1152, 14), (1152, 16), (1408, 14), (1664, 14): 16
        case (...64, _): 1
        case (192, _), (256, _), (320, _), (384, _), (512, _), (640, _), (768, _), (832, _), (896, _), (1024, _): width / 64
        default: nil
        }
    }

    private static func side(_ cells: Int) -> Int? {
        let side = Int(Double(max(0, cells)).squareRoot().rounded())
        return side >= 1 && side * side == cells ? side : nil
    }

    /// Help for the options `--weights` and `--heads` of every command that reads encoders.
    public static let weightsHelp =
        "an encoder: a checkpoint of Tandem's, or a safetensors or PyTorch file of timm, MAE, DINO or transformers; of a run's folder the last checkpoint"
    /// Help for `--heads`.
    public static let headsHelp =
        "attention heads of the encoder; default: what the file says, else those of the published encoder of its size"

    /// The file's name in messages.
    public var name: String { file.name }

    /// The effective pipeline of the run that made the weights, as JSON; nil for weights from elsewhere.
    public var pipeline: String? { file.pipeline }

    /// The elements of one of the encoder's arrays, by its name in timm.
    public func floats(_ name: String, shape: [Int]) throws -> [Float] { try file.floats(prefix + name, shape: shape) }

    /// The names and shapes of the encoder's arrays, as timm's `VisionTransformer` has them.
    public var entries: [String: WeightFile.Entry] {
        var own: [String: WeightFile.Entry] = [:]
        for (name, entry) in file.entries where name.hasPrefix(prefix) {
            let name = String(name.dropFirst(prefix.count))
            if Self.isEncoders(name) { own[name] = entry }
        }
        return own
    }

    /// The encoder alone as a safetensors file in memory, with the metadata: what an evaluator is sent.
    public func encoded() throws -> [UInt8] {
        try Safetensors.bytes(metadata: metadata, arrays)
    }

    /// The encoder alone as a safetensors file that timm loads.
    public func write(to path: String) throws {
        try Safetensors.write(to: path, metadata: markedMetadata, arrays)
    }

    /// The encoder with its decoder as a safetensors file under MAE's names, the optimizer's state left out.
    ///
    /// Throws where the file holds no decoder.
    public func writeModel(to path: String) throws {
        guard file.entries.keys.contains(where: { $0.hasPrefix(prefix) && Self.part(String($0.dropFirst(prefix.count))) == .decoder })
        else {
            throw Failure("\(name) holds no decoder, so no whole model can be written; '--format timm' writes its encoder")
        }
        try Safetensors.write(to: path, metadata: markedMetadata, wholeModel(withDecoder: true))
    }

    /// The encoder's arrays, and the decoder's where that is wanted.
    func wholeModel(withDecoder: Bool) -> [Safetensors.Array] {
        arrays { Self.isEncoders($0) || (withDecoder && Self.isDecoders($0)) }
    }

    /// Whether ``write(to:)`` or ``writeModel(to:)`` made a file, which no checkpoint of a run and no other program's file is.
    public static func didWrite(_ path: String) -> Bool { (try? Safetensors(path: path).metadata[mark.key]) == mark.value }

    private static let mark = (key: "tandem.file", value: "weights")
    /// What a written file says of itself.
    var markedMetadata: [String: String] { metadata.merging([Self.mark.key: Self.mark.value]) { $1 } }

    /// The strings of a Tandem file go with the weights. Those of a PyTorch file do not: its other contents are no part of the encoder.
    private var metadata: [String: String] {
        let own = file.format == .safetensors ? file.metadata.filter { $0.key != Self.mark.key } : [:]
        let heads = heads.map { ["tandem.encoder_heads": "\($0)"] } ?? [:]
        return own.merging(["format": "pt"]) { $1 }.merging(heads) { $1 }
    }

    private var arrays: [Safetensors.Array] { wholeModel(withDecoder: false) }

    private func arrays(_ isWanted: (String) -> Bool) -> [Safetensors.Array] {
        file.entries.compactMap { key, entry in
            guard key.hasPrefix(prefix), isWanted(String(key.dropFirst(prefix.count))) else { return nil }
            return Safetensors.Array(name: String(key.dropFirst(prefix.count)), shape: entry.shape) { try file.floats(key) }
        }
    }

    private static func isEncoders(_ name: String) -> Bool {
        // An embedding that tells frames apart serves several at once; a single picture has none, and timm does not know it.
        name == "pos_embed" || (part(name) == .encoder && name != "frame_embed")
    }

    private static func isDecoders(_ name: String) -> Bool {
        name == "decoder_pos_embed" || name == "frame_embed" || part(name) == .decoder
    }
}

extension EncoderWeights {
    /// What the arrays of a file belong to.
    public enum Part: String, CaseIterable, Sendable {
        /// What encodes the patches that are seen, and what makes the hidden ones of that.
        case encoder, decoder
        /// Tables of positions, learned or not.
        case positions
        /// What a training's optimizer keeps from step to step.
        case optimizer
        /// Classifiers, heads and whatever else.
        case other
    }

    /// The part that an array belongs to, by its name without ``prefix``.
    public static func part(_ name: String) -> Part {
        if name == "cls_token" || name == "frame_embed" || ["patch_embed.", "blocks.", "norm."].contains(where: name.hasPrefix) {
            return .encoder
        }
        if name == "pos_embed" || name == "decoder_pos_embed" { return .positions }
        if name == "mask_token" || name.hasPrefix("decoder_") { return .decoder }
        return name.hasPrefix("optimizer.") ? .optimizer : .other
    }
}
