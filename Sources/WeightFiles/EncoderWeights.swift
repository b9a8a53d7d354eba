import Base
import Foundation

/// The encoder out of a file of weights: Tandem's, MAE's, timm's, DINO's, VideoMAE's, MAE-ST's, transformers', as safetensors or as PyTorch's own
/// file, with or without a decoder, a wrapper and optimizer state.
///
/// Sizes come from the arrays' shapes; the number of heads, which no array tells, from Tandem's metadata, else from the published encoders.
public struct EncoderWeights {
    /// What an encoder is of, and whose architecture it has.
    public enum Kind: Sendable {
        /// Of pictures, as timm has it.
        case pictures
        /// Of clips, as MCG-NJU/VideoMAE has it: with a flat table of positions, which no file carries.
        case videoMAE
        /// Of clips, as facebookresearch/mae_st has it: with learned positions of places and steps.
        case maeST
    }

    /// What the encoder is of.
    public let kind: Kind
    /// Numbers that a token has.
    public let width: Int
    /// Number of transformer blocks.
    public let depth: Int
    /// The number of attention heads; nil where neither the file nor a published encoder of this size tells it.
    public let heads: Int?
    /// Side of a patch in pixels.
    public let patchSize: Int
    /// Frames of a patch: 1 of pictures.
    public let framesPerPatch: Int
    /// The width of the square token grid the encoder was trained on: as its positions tell, or the file, or 224 pixels' as published.
    public let gridSize: Int
    /// Frames of the clips the encoder was trained on: as its positions tell, or the file, or 16 as published; 1 of pictures.
    public let frames: Int
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
        guard let shape = patchEntry?.shape, let patch = PatchKernel(shape) else {
            throw Failure(
                "\(file.name) holds no vision transformer: 'patch_embed.proj.weight' is missing, or neither [width, 3, patch, patch] nor"
                    + " [width, 3, frames, patch, patch]")
        }
        let inBlocks = prefix + "blocks."
        let blocks = Set(
            file.entries.keys.compactMap { $0.hasPrefix(inBlocks) ? Int($0.dropFirst(inBlocks.count).prefix { $0 != "." }) : nil })
        guard !blocks.isEmpty, blocks == Set(0..<blocks.count) else {
            throw Failure("\(file.name) holds no whole vision transformer: of its blocks there are \(blocks.sorted())")
        }
        (width, patchSize, framesPerPatch) = (patch.width, patch.size, patch.frames ?? 1)
        depth = blocks.count
        let remarks = file.remarks
        heads = chosenHeads ?? remarks.heads ?? Self.publishedHeads(width: width, patchSize: patchSize, ofClips: patch.frames != nil)
        if let heads, heads < 1 || width % heads != 0 {
            throw Failure("\(heads) heads do not divide the width \(width) of the encoder in \(file.name)")
        }
        func rows(_ table: String) -> Int? {
            file.entries[prefix + table].flatMap { $0.shape.count == 3 ? $0.shape[1] : nil }
        }
        if patch.frames == nil {
            kind = .pictures
            guard let side = rows("pos_embed").flatMap({ Self.side($0 - 1) }) else {
                throw Failure("\(file.name) holds no position embedding 'pos_embed' of a square grid and CLS")
            }
            (gridSize, frames) = (side, 1)
        } else if file.entries[prefix + "pos_embed_spatial"] != nil {
            kind = .maeST
            guard let side = rows("pos_embed_spatial").flatMap(Self.side), let steps = rows("pos_embed_temporal"), steps > 0 else {
                throw Failure("\(file.name) holds no position embeddings 'pos_embed_spatial' of a square grid and 'pos_embed_temporal'")
            }
            (gridSize, frames) = (side, steps * framesPerPatch)
        } else {
            kind = .videoMAE
            (gridSize, frames) = ((remarks.imageSize ?? 224) / patchSize, remarks.frames ?? 16)
            guard gridSize > 0, frames > 0, frames % framesPerPatch == 0 else {
                throw Failure(
                    "\(file.name) says that its encoder is of clips of \(frames) frames and \(gridSize * patchSize) pixels, which its patches"
                        + " of \(framesPerPatch) frames and \(patchSize) pixels do not divide")
            }
        }
        self.file = file
    }

    /// What the shape of a patch embedding's weight tells.
    private struct PatchKernel {
        let width, size: Int
        /// nil: of pictures.
        let frames: Int?

        /// Nil for a shape that no patch embedding has.
        init?(_ shape: [Int]) {
            guard [4, 5].contains(shape.count), shape[1] == 3, shape[shape.count - 1] == shape[shape.count - 2],
                shape.allSatisfy({ $0 > 0 })
            else { return nil }
            (width, size, frames) = (shape[0], shape[shape.count - 1], shape.count == 5 ? shape[2] : nil)
        }
    }

    /// The heads of the published encoders of a size; nil where none is known.
    ///
    /// Most have heads of 64, and what is not wider than one head has one. The others: MAE's ViT-H/14 (models_mae.py), VideoMAE's ViT-H/16,
    /// and those of timm's vision_transformer.py (`so400m`, `giant`, `gigantic`), which differ in more than their heads.
    private static func publishedHeads(width: Int, patchSize: Int, ofClips: Bool) -> Int? {
        switch (width, patchSize) {
        case (1280, 16) where ofClips: 16
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
        "an encoder: a checkpoint of Tandem's, or a safetensors or PyTorch file of timm, MAE, DINO, VideoMAE, MAE-ST or transformers; of a run's folder the last checkpoint"
    /// Help for `--heads`.
    public static let headsHelp =
        "attention heads of the encoder; default: what the file says, else those of the published encoder of its size"
    /// Help for `--clip`, which makes features of a frame of its neighbours too.
    public static let clipHelp =
        "encoders of clips: the N frames around each one are seen for it, N frames' cost for one; 1: it alone, as a still"

    /// Refuses a number of frames, of the option `--clip`, that this encoder cannot see together.
    public func requireClip(of frames: Int) throws {
        guard frames != 1 else { return }
        guard kind != .pictures else {
            throw Failure("\(name) holds an encoder of pictures, which sees each frame alone: leave out --clip")
        }
        guard frames % framesPerPatch == 0 else {
            throw Failure("--clip is \(frames), which the encoder's patches of \(framesPerPatch) frames do not divide")
        }
    }

    /// Numbers per token within an MLP.
    package var hiddenWidth: Int { file.entries[prefix + "blocks.0.mlp.fc1.bias"]?.count ?? 4 * width }

    /// The file's name in messages.
    public var name: String { file.name }

    /// The effective pipeline of the run that made the weights, as JSON; nil for weights from elsewhere.
    public var pipeline: String? { file.pipeline }

    /// The elements of one of the encoder's arrays, by its name in timm.
    public func floats(_ name: String, shape: [Int]) throws -> [Float] { try file.floats(prefix + name, shape: shape) }

    /// The names and shapes of the encoder's arrays, as timm's `VisionTransformer` has them, or the publications of encoders of clips.
    public var entries: [String: WeightFile.Entry] {
        var own: [String: WeightFile.Entry] = [:]
        for (key, entry) in file.entries {
            if let name = relative(key, to: prefix), Self.isEncoders(name) { own[name] = entry }
        }
        return own
    }

    /// The encoder alone as a safetensors file in memory, with the metadata: what an evaluator is sent.
    public func encoded() throws -> [UInt8] {
        try Safetensors.bytes(metadata: metadata, arrays)
    }

    /// The encoder alone as a safetensors file; one of pictures is loaded by timm.
    public func write(to path: String) throws {
        try Safetensors.write(to: path, metadata: markedMetadata, arrays)
    }

    /// The encoder with its decoder as a safetensors file under the names of its publication, the optimizer's state left out.
    ///
    /// Throws where the file holds no decoder.
    public func writeModel(to path: String) throws {
        guard hasDecoder else {
            throw Failure("\(name) holds no decoder, so no whole model can be written")
        }
        try Safetensors.write(to: path, metadata: markedMetadata, wholeModel(withDecoder: true))
    }

    /// What stands in front of the whole model's names: what its publication puts before the encoder's is a name of the model's.
    var modelPrefix: String {
        kind == .videoMAE && prefix.hasSuffix(Self.encoderPart) ? String(prefix.dropLast(Self.encoderPart.count)) : prefix
    }

    private static let encoderPart = "encoder."

    /// Whether the decoder is there too.
    var hasDecoder: Bool { file.entries.keys.contains { relative($0, to: modelPrefix).map(Self.isDecoders) ?? false } }

    /// The encoder's arrays, and the decoder's where that is wanted, under the names of the publication.
    func wholeModel(withDecoder: Bool) -> [Safetensors.Array] {
        let encoder = arrays.map { array in
            kind == .videoMAE
                ? Safetensors.Array(name: Self.encoderPart + array.name, shape: array.shape, elements: array.elements) : array
        }
        return encoder + (withDecoder ? arrays(of: modelPrefix, Self.isDecoders) : [])
    }

    /// Whether ``write(to:)`` or ``writeModel(to:)`` made a file, which no checkpoint of a run and no other program's file is.
    public static func didWrite(_ path: String) -> Bool { (try? Safetensors(path: path).metadata[mark.key]) == mark.value }

    private static let mark = (key: "tandem.file", value: "weights")
    /// What a written file says of itself.
    var markedMetadata: [String: String] { metadata.merging([Self.mark.key: Self.mark.value]) { $1 } }

    /// The strings of a Tandem file go with the weights. Those of a PyTorch file do not: its other contents are no part of the encoder.
    private var metadata: [String: String] {
        let own = file.format == .safetensors ? file.metadata.filter { $0.key != Self.mark.key } : [:]
        let ofClips = kind == .pictures ? (nil, nil) : (frames, gridSize * patchSize)
        let remarks = EncoderRemarks(heads: heads, frames: ofClips.0, imageSize: ofClips.1)
        return own.merging(["format": "pt"]) { $1 }.merging(remarks.strings) { $1 }
    }

    /// The encoder's arrays, under their names without ``prefix``.
    private var arrays: [Safetensors.Array] { arrays(of: prefix, Self.isEncoders) }

    private func arrays(of prefix: String, _ isWanted: (String) -> Bool) -> [Safetensors.Array] {
        file.entries.compactMap { key, entry in
            guard let name = relative(key, to: prefix), isWanted(name) else { return nil }
            return Safetensors.Array(name: name, shape: entry.shape) { try file.floats(key) }
        }
    }

    /// What follows the prefix in a name; nil where it does not begin so.
    private func relative(_ key: String, to prefix: String) -> String? {
        key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : nil
    }

    private static func isEncoders(_ name: String) -> Bool {
        // An embedding that tells frames apart serves several at once; a single picture has none, and timm does not know it.
        name.hasPrefix("pos_embed") || (part(name) == .encoder && name != "frame_embed")
    }

    private static func isDecoders(_ name: String) -> Bool {
        name.hasPrefix("decoder_pos_embed") || name == "frame_embed" || part(name) == .decoder
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
        func begins(_ beginnings: String...) -> Bool { beginnings.contains(where: name.hasPrefix) }
        if name == "cls_token" || name == "frame_embed" || begins("patch_embed.", "blocks.", "norm.", encoderPart) { return .encoder }
        if begins("pos_embed", "decoder_pos_embed") { return .positions }
        if name == "mask_token" || begins("decoder_", "decoder.", "encoder_to_decoder.") { return .decoder }
        return begins("optimizer.") ? .optimizer : .other
    }
}
