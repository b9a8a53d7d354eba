import Foundation

/// The encoder out of a file of weights: Tandem's, MAE's, timm's, with or without a decoder and optimizer state.
///
/// Sizes come from the arrays' shapes; the number of heads from Tandem's metadata, else the width is cut into heads of 64.
public struct EncoderWeights {
    public let width: Int
    public let depth: Int
    public let heads: Int
    public let patchSize: Int
    /// The width of the square token grid the encoder was trained on, as its position embedding tells.
    public let gridSize: Int
    private let file: Safetensors

    /// Reads a file.
    public init(path: String) throws {
        try self.init(Safetensors(path: path))
    }

    /// Reads what ``encoded()`` made.
    /// - Parameter name: what to call it in messages.
    public init(bytes: [UInt8], name: String) throws {
        try self.init(Safetensors(data: Data(bytes), name: name))
    }

    private init(_ file: Safetensors) throws {
        guard let patch = file.entries["patch_embed.proj.weight"]?.shape, patch.count == 4, patch[1] == 3, patch[2] == patch[3] else {
            throw TrainingError(
                "\(file.name) holds no vision transformer: 'patch_embed.proj.weight' is missing or not [width, 3, patch, patch]")
        }
        let blocks = Set(file.entries.keys.compactMap { $0.hasPrefix("blocks.") ? Int($0.dropFirst(7).prefix { $0 != "." }) : nil })
        guard !blocks.isEmpty, blocks == Set(0..<blocks.count) else {
            throw TrainingError("\(file.name) holds no whole vision transformer: of its blocks there are \(blocks.sorted())")
        }
        width = patch[0]
        depth = blocks.count
        patchSize = patch[2]
        heads = file.metadata["tandem.encoder_heads"].flatMap { Int($0) } ?? max(1, width / 64)
        guard heads > 0, width % heads == 0 else {
            throw TrainingError("\(file.name) names \(heads) heads, which do not divide the width \(width)")
        }
        guard let positions = file.entries["pos_embed"]?.shape, positions.count == 3, let side = Self.side(positions[1] - 1) else {
            throw TrainingError("\(file.name) holds no position embedding 'pos_embed' of a square grid and CLS")
        }
        gridSize = side
        self.file = file
    }

    private static func side(_ cells: Int) -> Int? {
        let side = Int(Double(max(0, cells)).squareRoot().rounded())
        return side >= 1 && side * side == cells ? side : nil
    }

    /// The file's name in messages.
    public var name: String { file.name }

    /// The effective pipeline of the run that made the weights, as JSON; nil for weights from elsewhere.
    public var pipeline: String? { file.metadata["tandem.pipeline"] }

    /// The elements of one of the encoder's arrays.
    public func floats(_ name: String, shape: [Int]) throws -> [Float] { try file.floats(name, shape: shape) }

    /// The encoder alone as a safetensors file in memory, with the metadata: what an evaluator is sent.
    public func encoded() throws -> [UInt8] {
        try Safetensors.bytes(metadata: file.metadata, arrays)
    }

    /// The encoder alone as a safetensors file that timm loads.
    public func write(to path: String) throws {
        try Safetensors.write(to: path, metadata: file.metadata, arrays)
    }

    private var arrays: [Safetensors.Array] {
        file.entries.filter { Self.isEncoders($0.key) }.map { name, entry in
            Safetensors.Array(name: name, shape: entry.shape) { try file.floats(name) }
        }
    }

    private static func isEncoders(_ name: String) -> Bool {
        name == "cls_token" || name == "pos_embed" || ["patch_embed.", "blocks.", "norm."].contains(where: name.hasPrefix)
    }
}
