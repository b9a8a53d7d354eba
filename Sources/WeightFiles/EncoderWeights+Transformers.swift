import Base
import Foundation

extension EncoderWeights {
    /// Writes a folder that Hugging Face's `from_pretrained` loads: `config.json` and `model.safetensors`. With MAE's decoder it is a
    /// `ViTMAEForPreTraining`, else the encoder alone, a `ViTModel` without pooling.
    ///
    /// - Parameters:
    ///   - folder: exists.
    ///   - decoder: attention heads of the decoder, and whether it predicts normalised patches; nil where nothing tells.
    /// - Returns: the class that loads it.
    public func writeTransformers(to folder: String, decoder: (heads: Int, normalizesPatches: Bool)?) throws -> String {
        guard let heads else { throw Failure("nothing tells how many attention heads the encoder in \(name) has; say it with --heads N") }
        var config: [String: Any] = [
            "hidden_act": "gelu", "hidden_size": width, "num_hidden_layers": depth, "num_attention_heads": heads,
            "intermediate_size": 4 * width, "image_size": gridSize * patchSize, "patch_size": patchSize, "num_channels": 3,
            "layer_norm_eps": 1e-6, "qkv_bias": true, "attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0,
        ]
        let decoderWidth = file.entries[prefix + "decoder_embed.bias"]?.count
        let isMAE =
            decoderWidth != nil && file.entries[prefix + "decoder_blocks.0.attn.qkv.bias"] != nil
            && !file.entries.keys.contains { $0.hasPrefix(prefix) && ($0.contains("cross_attn") || $0.contains("frame_embed")) }
        if isMAE, let decoderWidth {
            guard let decoder else {
                throw Failure("nothing tells how many attention heads the decoder in \(name) has: name a checkpoint of a training")
            }
            let blocks = Set(
                file.entries.keys.compactMap { key -> Substring? in
                    let start = prefix + "decoder_blocks."
                    return key.hasPrefix(start) ? key.dropFirst(start.count).prefix { $0 != "." } : nil
                })
            config.merge([
                "architectures": ["ViTMAEForPreTraining"], "model_type": "vit_mae", "decoder_hidden_size": decoderWidth,
                "decoder_num_hidden_layers": blocks.count, "decoder_num_attention_heads": decoder.heads,
                "decoder_intermediate_size": 4 * decoderWidth, "norm_pix_loss": decoder.normalizesPatches,
            ]) { $1 }
        } else {
            config.merge(["architectures": ["ViTModel"], "model_type": "vit"]) { $1 }
        }
        let place = isMAE ? "vit." : ""
        try Safetensors.write(
            to: folder + "/model.safetensors", metadata: markedMetadata, wholeModel(withDecoder: isMAE).flatMap { split($0, place) })
        let json = try JSONSerialization.data(withJSONObject: config, options: [.prettyPrinted, .sortedKeys])
        try json.write(to: URL(fileURLWithPath: folder + "/config.json"), options: .atomic)
        return isMAE ? "ViTMAEForPreTraining" : "ViTModel"
    }

    /// An array under its names there: itself, or its rows in three parts.
    private func split(_ array: Safetensors.Array, _ encoder: String) -> [Safetensors.Array] {
        guard let names = TransformersNames.parts(of: array.name, encoder: encoder) else { return [] }
        let shape = [array.shape[0] / names.count] + array.shape.dropFirst()
        let count = shape.reduce(1, *)
        return names.enumerated().map { index, name in
            Safetensors.Array(name: name, shape: shape) { Array(try array.elements()[index * count..<(index + 1) * count]) }
        }
    }
}
