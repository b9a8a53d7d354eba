/// The names of arrays in Hugging Face's checkpoints of ViT (`ViTModel`) and MAE (`ViTMAEModel`, `ViTMAEForPreTraining`), beside timm's and
/// MAE's, which Tandem has.
///
/// The difference that is no name: queries, keys and values are three arrays there, and the rows of one here. Source:
/// huggingface/transformers, models/vit and models/vit_mae, and the names of the published `facebook/vit-mae-base`.
enum TransformersNames {
    private static let encoder = [
        "cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings",
        "patch_embed.proj": "embeddings.patch_embeddings.projection", "norm": "layernorm",
    ]
    private static let decoder = [
        "mask_token": "mask_token", "decoder_embed": "decoder_embed", "decoder_pos_embed": "decoder_pos_embed",
        "decoder_norm": "decoder_norm", "decoder_pred": "decoder_pred",
    ]
    private static let block = [
        "norm1": ["layernorm_before"], "norm2": ["layernorm_after"], "attn.proj": ["attention.output.dense"],
        "attn.qkv": ["attention.attention.query", "attention.attention.key", "attention.attention.value"],
        "mlp.fc1": ["intermediate.dense"], "mlp.fc2": ["output.dense"],
    ]
    /// Where the blocks of a decoder stand: as published, and as transformers 5 writes them.
    private static let decoderLayers = ["decoder.decoder_layers", "decoder.decoder_encoder.layer"]

    /// What an array of ours is made of: of one array, or of the rows of three.
    ///
    /// - Parameters:
    ///   - name: such as `blocks.0.attn.qkv.bias`.
    ///   - encoder: what stands before the encoder's names, such as `vit.`.
    /// - Returns: nil for what those models do not have.
    static func parts(of name: String, encoder prefix: String) -> [String]? { parts(of: name, prefix, decoderLayers[0]) }

    private static func parts(of name: String, _ prefix: String, _ decoderLayers: String) -> [String]? {
        for (ours, theirs) in [("blocks.", prefix + "encoder.layer"), ("decoder_blocks.", decoderLayers)] where name.hasPrefix(ours) {
            let path = name.dropFirst(ours.count).split(separator: ".", maxSplits: 1)
            guard path.count == 2, let dot = path[1].lastIndex(of: "."), let parts = block[String(path[1][..<dot])] else { return nil }
            return parts.map { "\(theirs).\(path[0]).\($0)\(path[1][dot...])" }
        }
        for (table, prefix) in [(Self.encoder, prefix), (Self.decoder, "decoder.")] {
            if let whole = table[name] { return [prefix + whole] }
            if let dot = name.lastIndex(of: "."), let module = table[String(name[..<dot])] { return [prefix + module + name[dot...]] }
        }
        return nil
    }

    /// For each array of ours that a file has under those names, what it is made of; nothing for other files.
    static func translation(of keys: some Collection<String>) -> [String: [String]] {
        let keys = Set(keys)
        let patches = "embeddings.patch_embeddings.projection.weight"
        guard let patchKey = keys.filter({ $0 == patches || $0.hasSuffix("." + patches) }).sorted().first else { return [:] }
        let prefix = String(patchKey.dropLast(patches.count))
        // What stands before `vit.` stands before the decoder's names as well.
        let root = prefix.hasSuffix("vit.") ? String(prefix.dropLast(4)) : prefix
        let modules = Array(encoder.keys) + Array(decoder.keys)
        var names = modules + modules.flatMap { [$0 + ".weight", $0 + ".bias"] }
        for (ours, theirs) in [("blocks.", [prefix + "encoder.layer"]), ("decoder_blocks.", decoderLayers.map { root + $0 })] {
            let count = theirs.map { theirs in (0...).first { !keys.contains("\(theirs).\($0).layernorm_before.weight") }! }.max()!
            for index in 0..<count { names += block.keys.flatMap { ["\(ours)\(index).\($0).weight", "\(ours)\(index).\($0).bias"] } }
        }
        var translation: [String: [String]] = [:]
        for name in names {
            for layers in decoderLayers {
                guard let parts = parts(of: name, String(prefix.dropFirst(root.count)), layers) else { continue }
                let found = parts.map { root + $0 }
                if found.allSatisfy(keys.contains) { translation[root + name] = found }
            }
        }
        return translation
    }
}
