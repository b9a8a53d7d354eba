import Autograd
import Base
import Compute
import Foundation
import Models
import WeightFiles

/// Reference values for the maths, made by PyTorch: a small SiamMAE with its inputs, outputs, gradients, and ten steps of AdamW.
///
/// Arrays of the file: `param.NAME`, `input.f1`, `input.f2` `[batch, 3, size, size]` already normalised, `input.keep` (the visible patches of
/// the future frames, in the order of their tokens), `input.keep1` (of the past frames, where those are masked too), `out.memory` and
/// `out.latent` (what a siamese encoder makes of past and future frames), `out.pred`, `out.loss`, `grad.NAME`, `train.losses`, `after.NAME`.
/// The sizes stand as JSON in the metadata, `config`.
public struct MathsFixture {
    /// The file's arrays.
    public let file: Safetensors
    /// The model that the values are of.
    public let configuration: SiamMAE.Configuration
    /// What is visible of each pair.
    public let visible: VisiblePatches

    private struct Sizes: Decodable {
        let image, patch, dim, depth, heads, ddim, ddepth, dheads, batch: Int
        let encoder, decoder: String?
        let normalizesPatches: Bool?

        enum CodingKeys: String, CodingKey {
            case image, patch, dim, depth, heads, ddim, ddepth, dheads, batch, encoder, decoder
            case normalizesPatches = "norm_pix"
        }
    }

    /// Opens a file.
    ///
    /// - Throws: ``Failure`` for a file that cannot be read, and for one that is no such fixture: what it lacks.
    public init(path: String) throws {
        file = try Safetensors(path: path)
        func refusal(_ why: String) -> Failure { Failure("\(path) is no fixture of the maths: \(why)") }
        guard let text = file.metadata["config"] else { throw refusal("its metadata has no 'config'") }
        guard let sizes = try? JSONDecoder().decode(Sizes.self, from: Data(text.utf8)) else {
            throw refusal("its 'config' is not the sizes of a model: \(text)")
        }
        guard let encoderKind = SiamMAE.EncoderKind(rawValue: sizes.encoder ?? "siamese") else {
            throw refusal("there is no encoder '\(sizes.encoder!)'")
        }
        guard let decoderKind = SiamMAE.DecoderKind(rawValue: sizes.decoder ?? "cross-self") else {
            throw refusal("there is no decoder '\(sizes.decoder!)'")
        }
        configuration = SiamMAE.Configuration(
            encoder: .init(imageSize: sizes.image, patchSize: sizes.patch, width: sizes.dim, depth: sizes.depth, heads: sizes.heads),
            decoder: .init(width: sizes.ddim, depth: sizes.ddepth, heads: sizes.dheads), encoderKind: encoderKind,
            decoderKind: decoderKind, normalizesPatches: sizes.normalizesPatches ?? true)
        if let problem = configuration.problem { throw refusal(problem) }
        // The sizes are believed only where arrays have them: a model of made-up ones may not fit into memory.
        let expected = [
            ("input.f1", [sizes.batch, 3, sizes.image, sizes.image]), ("input.f2", [sizes.batch, 3, sizes.image, sizes.image]),
            ("param.patch_embed.proj.weight", [sizes.dim, 3, sizes.patch, sizes.patch]),
            ("param.decoder_embed.weight", [sizes.ddim, sizes.dim]), ("param.blocks.\(sizes.depth - 1).norm1.weight", [sizes.dim]),
            ("param.decoder_blocks.\(sizes.ddepth - 1).norm2.weight", [sizes.ddim]),
        ]
        for (name, shape) in expected {
            guard let found = file.entries[name]?.shape else { throw refusal("it holds no array '\(name)'") }
            guard found == shape else { throw refusal("'\(name)' has the shape \(found), not \(shape)") }
        }
        let patches = configuration.encoder.patchCount
        let future = try Self.patches(file, "input.keep", batch: sizes.batch, of: patches)
        guard future[0].count < patches else { throw refusal("its masks hide nothing") }
        let isSymmetric = file.entries["input.keep1"] != nil
        visible = VisiblePatches(
            future: future, past: isSymmetric ? try Self.patches(file, "input.keep1", batch: sizes.batch, of: patches) : nil)
    }

    private static func patches(_ file: Safetensors, _ name: String, batch: Int, of count: Int) throws -> [[Int32]] {
        func refusal(_ why: String) -> Failure { Failure("\(file.name) is no fixture of the maths: '\(name)' \(why)") }
        let numbers = try file.integers(name)
        guard let shape = file.entries[name]?.shape, shape.count == 2, shape[0] == batch, batch > 0, shape[1] > 0 else {
            throw refusal("does not list patches of \(batch) frames")
        }
        let lists = stride(from: 0, to: numbers.count, by: shape[1]).map { Array(numbers[$0..<$0 + shape[1]]) }
        guard lists.allSatisfy({ list in list.allSatisfy { (0..<Int64(count)).contains($0) } && Set(list).count == list.count }) else {
            throw refusal("does not list different patches of 0 to \(count - 1)")
        }
        return lists.map { $0.map(Int32.init) }
    }

    /// The model with the file's first weights.
    public func makeModel(precision: Precision = .f32, backend: any Backend) throws -> SiamMAE {
        let model = SiamMAE(configuration, seed: 0, precision: precision, backend: backend)
        let known = Set(model.parameters.entries.map(\.name))
        if let unknown = file.entries.keys.sorted().first(where: { $0.hasPrefix("param.") && !known.contains(String($0.dropFirst(6))) }) {
            throw Failure("\(file.name) is no fixture of the maths: a model of its 'config' has no '\(unknown)'")
        }
        for entry in model.parameters.entries {
            let numbers = try file.floats("param." + entry.name, shape: entry.shape)
            backend.upload(model.parameters.parameter(entry.name).value, from: numbers)
        }
        model.parameters.refreshOperands()
        return model
    }

    /// All past frames, then all future frames.
    public func frames(_ arena: Arena) throws -> Tensor {
        let size = configuration.encoder.imageSize
        let frames = arena.tensor([2 * visible.count, 3, size, size])
        arena.backend.upload(frames, from: try file.floats("input.f1") + file.floats("input.f2"))
        return frames
    }
}
