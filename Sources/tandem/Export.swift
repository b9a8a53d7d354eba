import Base
import Configuration
import Console
import Files
import Foundation
import Models
import Recipes
import Training
import WeightFiles

/// `tandem export`: weights for other programs.
func export(arguments: [String]) throws {
    var options = Arguments(
        "tandem export",
        about: """
            Writes weights as other programs expect them, in safetensors: 'timm', the encoder of pictures under timm's names, which timm loads \
            strictly; 'official', the whole model under the names of its publication, with its decoder, or with its head, teacher, centres and \
            running values, without the optimizer's state; of iBOT, whose checkpoints hold dictionaries, their paths joined by dots: \
            student.backbone.…, student.head.…, teacher.backbone.…, teacher.head.…, ibot_loss.center, ibot_loss.center2; \
            'transformers', a folder that Hugging Face's from_pretrained loads: MAE with its decoder as ViTMAEForPreTraining, VideoMAE and V2 as \
            VideoMAEForPreTraining, any other model's encoder of pictures as ViTModel, but for \
            SiameseIM's, which lacks that one's last layer norm.
            """,
        arguments: arguments)
    let weights = options.required("--weights", "FILE|RUN_FOLDER", EncoderWeights.weightsHelp)
    let entry: String? = options.value("--entry", "NAME", EncoderWeights.entryHelp)
    let heads: Int? = options.value("--heads", "N", EncoderWeights.headsHelp)
    let format = options.value("--format", "timm|official|transformers", "what to write", default: "timm")
    let output = options.required("--output", "FILE", "where to write it, NAME.safetensors; of transformers a folder")
    if !["timm", "official", "transformers"].contains(format) {
        options.refuse("--format knows 'timm', 'official' and 'transformers', not '\(format)'")
    }
    if format == "official", entry != nil { options.refuse("--entry takes an encoder alone, and --format official writes the whole model") }
    options.finish()

    let path = try CheckpointFolder.weights(at: weights, warn: warn)
    if format != "transformers" { try checkOutput(weights: output, from: path) }
    let encoder = try EncoderWeights(path: path, entry: entry, heads: heads)
    try encoder.check()
    if format == "timm", encoder.kind != .pictures {
        throw Failure(
            "\(path) holds an encoder of clips, which timm has no model for; '--format official' writes the whole model under the names of its"
                + " publication")
    }
    if format == "transformers" { return try exportTransformers(encoder, to: output) }
    if format == "timm" { try encoder.write(to: output) } else { try encoder.writeModel(to: output) }
    print("\(output): \(try describe(output)), from \(path)")
    if format == "timm" { print("load it with \(encoder.timmCall)") }
}

/// Writes a folder that transformers loads. Where that fails, no folder is left that was not there before.
private func exportTransformers(_ encoder: EncoderWeights, to folder: String) throws {
    let isNew = !FileManager.default.fileExists(atPath: folder)
    if isNew, mkdir(folder, 0o777) != 0 {
        throw Failure("cannot make the folder \(folder): \(String(cString: strerror(errno))); choose another --output")
    }
    do { try fillTransformers(encoder, folder) } catch {
        if isNew { rmdir(folder) }
        throw error
    }
}

private func fillTransformers(_ encoder: EncoderWeights, _ folder: String) throws {
    let weights = folder + "/model.safetensors"
    try checkOutput(weights: weights, from: encoder.name)
    let files = FileManager.default
    if !files.fileExists(atPath: weights), files.fileExists(atPath: folder + "/config.json") {
        throw Failure("\(folder)/config.json is there and was not made by 'tandem export'; choose another --output, or remove it")
    }
    let recipe = try encoder.pipeline.map { try Pipeline.parse($0, source: encoder.name).recipe.value }
    let model = (recipe as? any AutoencoderSettings)?.model
    let loader = try encoder.writeTransformers(
        to: folder, decoder: model.flatMap { model in model.decoderHeads.map { ($0, model.normalizedPixelLoss) } })
    print("\(weights): \(try describe(weights)), from \(encoder.name)")
    print("load it with transformers.\(loader).from_pretrained('\(folder)'\(loader == "ViTModel" ? ", add_pooling_layer=False" : ""))")
}

/// `tandem import`: weights of other programs.
func importWeights(arguments: [String]) throws {
    var options = Arguments(
        "tandem import",
        about: """
            Reads the encoder out of a file of weights of timm, MAE, DINO, iBOT, SiameseIM or the like, safetensors or PyTorch's .pth, and writes it as \
            safetensors for Tandem. Nothing in a .pth file is run: one that asks for more than tensors and plain containers is refused.
            """,
        arguments: arguments)
    let entry: String? = options.value("--entry", "NAME", EncoderWeights.entryHelp)
    let heads: Int? = options.value("--heads", "N", EncoderWeights.headsHelp)
    let output = options.required("--output", "FILE", "where to write it, NAME.safetensors")
    let path = options.operand("FILE", "the weights")
    options.finish()

    let encoder = try EncoderWeights(path: path, entry: entry, heads: heads)
    try checkOutput(weights: output, from: path)
    try encoder.check()
    try encoder.write(to: output)
    let place = encoder.entry.isEmpty ? "" : " ('\(encoder.entry)')"
    print("\(output): \(try describe(output)), from \(path)\(place), \(encoder.file.format.rawValue)")
    let rest = encoder.file.entries.count - encoder.entries.count
    if rest > 0 { print("left out: \(rest) arrays that are no part of the encoder") }
}

private func checkOutput(weights output: String, from input: String) throws {
    try checkOutput(file: output, inputs: [input], by: "'tandem export' or 'tandem import'", isOwn: EncoderWeights.didWrite)
}

/// What was written, as the file itself tells.
private func describe(_ path: String) throws -> String {
    let encoder = try EncoderWeights(path: path)
    let count = encoder.file.entries.values.reduce(0) { $0 + $1.count }
    let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    return "\(encoder.sizeName), \(encoder.file.entries.count) arrays of \(grouped(count)) numbers, \(formatBytes(size))"
}

extension EncoderWeights {
    /// "ViT-S/16" for a size of the literature, else its numbers.
    var sizeName: String {
        let names = [
            "ti16": "ViT-Ti/16", "s16": "ViT-S/16", "s8": "ViT-S/8", "b16": "ViT-B/16", "l16": "ViT-L/16", "h14": "ViT-H/14",
        ]
        let lack = hasNorm ? "" : " without a last layer norm"
        if let preset, let name = names[preset] { return kind == .pictures ? name + lack : "\(name) of clips" }
        let heads = heads.map { "\($0) head\($0 == 1 ? "" : "s")" } ?? "an unknown number of heads"
        return "a vision transformer\(lack) of width \(width), depth \(depth), \(heads), patch \(patchSize)"
    }

    /// "images of 224 pixels", "clips of 16 frames of 224 pixels": what it was trained on.
    var inputName: String {
        let size = "\(gridSize * patchSize) pixels"
        return kind == .pictures ? "images of \(size)" : "clips of \(frames) frames of \(size)"
    }

    private var preset: String? {
        EncoderSize.presets.first { $0.value == EncoderSize(patch: patchSize, width: width, depth: depth, heads: heads ?? 0) }?.key
    }

    /// The line of Python that makes timm's model of this size.
    fileprivate var timmCall: String {
        let names = [
            "ti16": "vit_tiny_patch16_224", "s16": "vit_small_patch16_224", "s8": "vit_small_patch8_224", "b16": "vit_base_patch16_224",
            "l16": "vit_large_patch16_224", "h14": "vit_huge_patch14_224",
        ]
        let size = gridSize * patchSize
        let norm = hasNorm ? "" : ", final_norm=False"
        if let preset, let name = names[preset] {
            return "timm.create_model('\(name)', num_classes=0\(size == 224 ? "" : ", img_size=\(size)")\(norm))"
        }
        return "timm.models.VisionTransformer(img_size=\(size), patch_size=\(patchSize), embed_dim=\(width), depth=\(depth), "
            + "num_heads=\(heads ?? 0), num_classes=0\(norm))"
    }
}

/// "21,665,664"
func grouped(_ number: Int) -> String {
    var groups: [Substring] = []
    var rest = "\(number)"[...]
    while rest.count > 3 {
        groups.insert(rest.suffix(3), at: 0)
        rest = rest.dropLast(3)
    }
    return ([rest] + groups).joined(separator: ",")
}
