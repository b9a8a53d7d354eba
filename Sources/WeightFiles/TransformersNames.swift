/// The names of arrays in Hugging Face's checkpoints of a family of models, beside those that Tandem has: timm's, MAE's, VideoMAE's.
///
/// The difference that is no name: queries, keys and values are three arrays there, and the rows of one here. Source:
/// huggingface/transformers, models/vit, models/vit_mae and models/videomae, and the names of the published `facebook/vit-mae-base` and
/// `MCG-NJU/videomae-base`.
struct TransformersNames {
    /// What stands before the encoder's names: ours, and theirs in a model with a decoder.
    private let encoderPrefix, wrapper: String
    private let encoder, decoder: [String: String]
    private let block: [String: [String]]
    /// Where the blocks of a decoder stand: ours, and theirs, the published place first.
    private let decoderBlocks: String, decoderLayers: [String]

    /// ViT (`ViTModel`) and MAE (`ViTMAEModel`, `ViTMAEForPreTraining`). transformers 5 writes a decoder's blocks to another place than 4.
    static let pictures = TransformersNames(
        encoderPrefix: "", wrapper: "vit.",
        encoder: [
            "cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings",
            "patch_embed.proj": "embeddings.patch_embeddings.projection", "norm": "layernorm",
        ],
        decoder: [
            "mask_token": "decoder.mask_token", "decoder_embed": "decoder.decoder_embed", "decoder_pos_embed": "decoder.decoder_pos_embed",
            "decoder_norm": "decoder.decoder_norm", "decoder_pred": "decoder.decoder_pred",
        ],
        block: modules.merging([
            "attn.qkv.weight": projections.map { $0 + ".weight" }, "attn.qkv.bias": projections.map { $0 + ".bias" },
        ]) { $1 }, decoderBlocks: "decoder_blocks.", decoderLayers: ["decoder.decoder_layers", "decoder.decoder_encoder.layer"])

    /// VideoMAE (`VideoMAEModel`, `VideoMAEForPreTraining`), whose keys have no bias.
    static let videoMAE = TransformersNames(
        encoderPrefix: "encoder.", wrapper: "videomae.",
        encoder: ["patch_embed.proj": "embeddings.patch_embeddings.projection", "norm": "layernorm"],
        decoder: [
            "encoder_to_decoder": "encoder_to_decoder", "mask_token": "mask_token", "decoder.norm": "decoder.norm",
            "decoder.head": "decoder.head",
        ],
        block: modules.merging([
            "attn.qkv.weight": projections.map { $0 + ".weight" }, "attn.q_bias": ["attention.attention.q_bias"],
            "attn.v_bias": ["attention.attention.v_bias"],
        ]) { $1 }, decoderBlocks: "decoder.blocks.", decoderLayers: ["decoder.decoder_layers"])

    private static let projections = ["query", "key", "value"].map { "attention.attention." + $0 }

    /// The arrays of a block that all families name alike.
    private static let modules: [String: [String]] = {
        let names = [
            "norm1": "layernorm_before", "norm2": "layernorm_after", "attn.proj": "attention.output.dense", "mlp.fc1": "intermediate.dense",
            "mlp.fc2": "output.dense",
        ]
        let arrays = names.flatMap { ours, theirs in ["weight", "bias"].map { ("\(ours).\($0)", ["\(theirs).\($0)"]) } }
        return Dictionary(uniqueKeysWithValues: arrays)
    }()

    /// What an array of ours is made of: of one array, or of the rows of three.
    ///
    /// - Parameters:
    ///   - name: such as `blocks.0.attn.qkv.bias`.
    ///   - hasDecoder: whether it is of a model with a decoder, which sets the encoder's names apart.
    /// - Returns: nil for what those models do not have.
    func parts(of name: String, hasDecoder: Bool) -> [String]? {
        parts(of: name, hasDecoder ? wrapper : "", decoderLayers[0])
    }

    private func parts(of name: String, _ wrapper: String, _ decoderLayers: String) -> [String]? {
        for (ours, theirs) in [(encoderPrefix + "blocks.", wrapper + "encoder.layer"), (decoderBlocks, decoderLayers)] {
            guard name.hasPrefix(ours) else { continue }
            let path = name.dropFirst(ours.count).split(separator: ".", maxSplits: 1)
            return path.count == 2 ? block[String(path[1])]?.map { "\(theirs).\(path[0]).\($0)" } : nil
        }
        for (table, ours, theirs) in [(encoder, encoderPrefix, wrapper), (decoder, "", "")] where name.hasPrefix(ours) {
            let own = String(name.dropFirst(ours.count))
            if let whole = table[own] { return [theirs + whole] }
            if let dot = own.lastIndex(of: "."), let module = table[String(own[..<dot])] { return [theirs + module + own[dot...]] }
        }
        return nil
    }

    /// For each array of ours that a file has under those names, what it is made of; nothing for other files.
    static func translation(of keys: some Collection<String>) -> [String: [String]] {
        let keys = Set(keys)
        let patches = "embeddings.patch_embeddings.projection.weight"
        guard let patchKey = keys.filter({ $0 == patches || $0.hasSuffix("." + patches) }).sorted().first else { return [:] }
        let prefix = String(patchKey.dropLast(patches.count))
        let family = keys.contains(prefix + "encoder.layer.0.attention.attention.q_bias") ? videoMAE : pictures
        return family.translation(of: keys, prefix: prefix)
    }

    private func translation(of keys: Set<String>, prefix: String) -> [String: [String]] {
        // What stands before the wrapper stands before the decoder's names as well.
        let root = prefix.hasSuffix(wrapper) ? String(prefix.dropLast(wrapper.count)) : prefix
        let modules = encoder.keys.map { encoderPrefix + $0 } + decoder.keys
        var names = modules + modules.flatMap { [$0 + ".weight", $0 + ".bias"] }
        for (ours, theirs) in [(encoderPrefix + "blocks.", [prefix + "encoder.layer"]), (decoderBlocks, decoderLayers.map { root + $0 })] {
            let count = theirs.map { theirs in (0...).first { !keys.contains("\(theirs).\($0).layernorm_before.weight") }! }.max()!
            for index in 0..<count { names += block.keys.map { "\(ours)\(index).\($0)" } }
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
