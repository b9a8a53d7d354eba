import Base
import Foundation

/// The encoder out of a file of weights: Tandem's, MAE's, timm's, DINO's, iBOT's, SiameseIM's, VideoMAE's, MAE-ST's, transformers', as
/// safetensors or as PyTorch's own file, with or without a decoder, a teacher, a wrapper and optimizer state.
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
    /// Where the encoder stands in the file.
    let network: WeightFile.Network

    /// Reads a file.
    /// - Parameters:
    ///   - entry: the network to take where the file holds several, as ``WeightFile/network(entry:)`` says.
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
        let network = try file.network(entry: entry)
        self.network = network
        let prefix = network.prefix
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
            file.entries[network.key(table)].flatMap { $0.shape.count == 3 ? $0.shape[1] : nil }
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
        "an encoder: a checkpoint of Tandem's, or a safetensors or PyTorch file of timm, MAE, DINO, iBOT, SiameseIM, VideoMAE, MAE-ST or transformers; of a run's folder the last checkpoint"
    /// Help for `--heads`.
    public static let headsHelp =
        "attention heads of the encoder; default: what the file says, else those of the published encoder of its size"
    /// Help for `--entry`.
    public static let entryHelp =
        "which network to take where the file holds several: teacher, student, or the beginning of its path; default: the only one, or the averaged one, of SiameseIM the trained one"
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

    /// What stands in front of the encoder's names in the file.
    public var prefix: String { network.prefix }

    /// The path of the encoder in the file, as `--entry` takes it; empty where it stands at the top.
    public var entry: String { network.place }

    /// Whether a layer norm follows the last block, as in most encoders. SiameseIM's have none: their features are what the last block makes.
    public var hasNorm: Bool { kind != .pictures || ["norm.weight", "norm.bias"].contains { file.entries[prefix + $0] != nil } }

    /// Numbers per token within an MLP.
    package var hiddenWidth: Int { file.entries[prefix + "blocks.0.mlp.fc1.bias"]?.count ?? 4 * width }

    /// The file's name in messages.
    public var name: String { file.name }

    /// The effective pipeline of the run that made the weights, as JSON; nil for weights from elsewhere.
    public var pipeline: String? { file.pipeline }

    /// The elements of one of the encoder's arrays, by its name in timm.
    public func floats(_ name: String, shape: [Int]) throws -> [Float] { try file.floats(key(name), shape: shape) }

    /// The key in the file of one of the encoder's arrays, by its name in timm.
    package func key(_ name: String) -> String { network.key(name) }
}
