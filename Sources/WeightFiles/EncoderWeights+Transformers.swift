import Base
import Foundation

extension EncoderWeights {
    /// Writes a folder that Hugging Face's `from_pretrained` loads: `config.json` and `model.safetensors`. Of pictures it is with MAE's decoder a
    /// `ViTMAEForPreTraining`, else the encoder alone, a `ViTModel` without pooling; of clips with VideoMAE's decoder a
    /// `VideoMAEForPreTraining`, else a `VideoMAEModel`.
    ///
    /// - Parameters:
    ///   - folder: exists.
    ///   - decoder: attention heads of the decoder, and whether it predicts normalised patches; nil where nothing tells.
    /// - Returns: the class that loads it.
    public func writeTransformers(to folder: String, decoder: (heads: Int, normalizesPatches: Bool)?) throws -> String {
        guard kind != .maeST else {
            throw Failure(
                "\(name) holds an encoder of MAE-ST's, which transformers has no model for; '--format official' writes the whole model under the"
                    + " names of its publication")
        }
        guard hasNorm else {
            throw Failure(
                "\(name) holds an encoder without a layer norm after the last block, which transformers' ViTModel always has, so it would compute"
                    + " something else; '--format timm' writes it for timm, which can leave the norm out")
        }
        let withDecoder = hasKnownDecoder
        let loader =
            switch (kind, withDecoder) {
            case (.pictures, true): "ViTMAEForPreTraining"
            case (.pictures, false): "ViTModel"
            case (_, true): "VideoMAEForPreTraining"
            case (_, false): "VideoMAEModel"
            }
        var config = try encoderConfiguration
        if withDecoder {
            guard let decoder else {
                throw Failure("nothing tells how many attention heads the decoder in \(name) has: name a checkpoint of a training")
            }
            config.merge(decoderConfiguration) { $1 }
            config.merge(["decoder_num_attention_heads": decoder.heads, "norm_pix_loss": decoder.normalizesPatches]) { $1 }
        }
        config["architectures"] = [loader]
        config["model_type"] = kind == .videoMAE ? "videomae" : withDecoder ? "vit_mae" : "vit"
        try Safetensors.write(
            to: folder + "/model.safetensors", metadata: markedMetadata,
            wholeModel(withDecoder: withDecoder).flatMap { split($0, hasDecoder: withDecoder) })
        let json = try JSONSerialization.data(withJSONObject: config, options: [.prettyPrinted, .sortedKeys])
        try json.write(to: URL(fileURLWithPath: folder + "/config.json"), options: .atomic)
        return loader
    }

    private var names: TransformersNames { kind == .videoMAE ? .videoMAE : .pictures }

    /// Where the decoder's blocks stand in the file.
    private var decoderBlocks: String { modelPrefix + (kind == .videoMAE ? "decoder.blocks." : "decoder_blocks.") }

    /// Whether there is a decoder that transformers has: one without cross-attention, of an encoder that knows no frames of pairs.
    private var hasKnownDecoder: Bool {
        hasDecoder && file.entries[decoderBlocks + "0.attn.qkv.weight"] != nil
            && !file.entries.keys.contains { $0.hasPrefix(prefix) && ($0.contains("cross_attn") || $0.contains("frame_embed")) }
    }

    private var encoderConfiguration: [String: Any] {
        get throws {
            guard let heads else {
                throw Failure("nothing tells how many attention heads the encoder in \(name) has; say it with --heads N")
            }
            let common: [String: Any] = [
                "hidden_act": "gelu", "hidden_size": width, "num_hidden_layers": depth, "num_attention_heads": heads,
                "intermediate_size": hiddenWidth, "image_size": gridSize * patchSize,
                "patch_size": patchSize, "num_channels": 3, "layer_norm_eps": 1e-6, "qkv_bias": true, "attention_probs_dropout_prob": 0.0,
                "hidden_dropout_prob": 0.0,
            ]
            // With mean pooling VideoMAE's last layer norm would be left out.
            let ofClips: [String: Any] = ["num_frames": frames, "tubelet_size": framesPerPatch, "use_mean_pooling": false]
            return kind == .videoMAE ? common.merging(ofClips) { $1 } : common
        }
    }

    private var decoderConfiguration: [String: Any] {
        let blocks = Set(
            file.entries.keys.compactMap { key in
                key.hasPrefix(decoderBlocks) ? key.dropFirst(decoderBlocks.count).prefix { $0 != "." } : nil
            })
        func count(_ array: String) -> Int { file.entries[decoderBlocks + "0." + array]?.count ?? 0 }
        return [
            "decoder_hidden_size": count("norm1.bias"), "decoder_num_hidden_layers": blocks.count,
            "decoder_intermediate_size": count("mlp.fc1.bias"),
        ]
    }

    /// An array under its names there: itself, or its rows in three parts.
    private func split(_ array: Safetensors.Array, hasDecoder: Bool) -> [Safetensors.Array] {
        guard let names = names.parts(of: array.name, hasDecoder: hasDecoder) else { return [] }
        guard names.count > 1 else { return [Safetensors.Array(name: names[0], shape: array.shape, elements: array.elements)] }
        let shape = [array.shape[0] / names.count] + array.shape.dropFirst()
        let count = shape.reduce(1, *)
        return names.enumerated().map { index, name in
            Safetensors.Array(name: name, shape: shape) { Array(try array.elements()[index * count..<(index + 1) * count]) }
        }
    }
}
