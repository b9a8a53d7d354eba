import Base
import Foundation

extension EncoderWeights {
    /// The names and shapes of the encoder's arrays, as timm's `VisionTransformer` has them, or the publications of encoders of clips.
    public var entries: [String: WeightFile.Entry] { keys.mapValues { file.entries[$0]! } }

    /// The encoder alone as a safetensors file in memory, with the metadata: what an evaluator is sent.
    public func encoded() throws -> [UInt8] {
        try Safetensors.bytes(metadata: metadata, arrays(keys))
    }

    /// The encoder alone as a safetensors file; one of pictures is loaded by timm.
    public func write(to path: String) throws {
        try Safetensors.write(to: path, metadata: markedMetadata, arrays(keys))
    }

    /// The whole model as a safetensors file under the names of its publication, the optimizer's state left out: the encoder with its decoder,
    /// or with its head and teacher and what else a training keeps of them.
    ///
    /// Throws where the file holds no decoder, and no head and teacher.
    public func writeModel(to path: String) throws {
        guard IBOTNames.isWhole(file) || hasDecoder else {
            throw Failure("\(name) holds no decoder, and no teacher with a head, so no whole model can be written")
        }
        let arrays = IBOTNames.isWhole(file) ? IBOTNames.published(file) : wholeModel(withDecoder: true)
        try Safetensors.write(to: path, metadata: markedMetadata, arrays)
    }

    /// What stands in front of the whole model's names: what its publication puts before the encoder's is a name of the model's.
    var modelPrefix: String {
        kind == .videoMAE && prefix.hasSuffix(Self.encoderPart) ? String(prefix.dropLast(Self.encoderPart.count)) : prefix
    }

    /// Whether the decoder is there too.
    var hasDecoder: Bool { !keys(under: modelPrefix, Self.isBesideEncoder).isEmpty }

    /// The encoder's arrays, and those of the decoder where that is wanted, under the names of the publication.
    func wholeModel(withDecoder: Bool) -> [Safetensors.Array] {
        let encoder = arrays(keys).map { array in
            kind == .videoMAE
                ? Safetensors.Array(name: Self.encoderPart + array.name, shape: array.shape, elements: array.elements) : array
        }
        return encoder + (withDecoder ? arrays(keys(under: modelPrefix, Self.isBesideEncoder)) : [])
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

    /// The keys of the encoder's arrays by their names without ``prefix``.
    private var keys: [String: String] {
        var keys = keys(under: prefix, Self.isEncoders)
        if kind == .pictures { keys["pos_embed"] = key("pos_embed") }
        return keys
    }

    private func keys(under prefix: String, _ isWanted: (String) -> Bool) -> [String: String] {
        let names = file.entries.keys.filter { $0.hasPrefix(prefix) }.map { (String($0.dropFirst(prefix.count)), $0) }
        return Dictionary(uniqueKeysWithValues: names.filter { isWanted($0.0) })
    }

    private func arrays(_ keys: [String: String]) -> [Safetensors.Array] {
        keys.map { name, key in Safetensors.Array(name: name, shape: file.entries[key]!.shape) { try file.floats(key) } }
    }
}
