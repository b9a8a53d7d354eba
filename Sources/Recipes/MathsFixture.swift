import Autograd
import Base
import Compute
import Foundation
import Models
import WeightFiles

/// Reference values for the maths, made by PyTorch: a small model of a recipe with its inputs, outputs, gradients, and ten steps of AdamW.
///
/// Arrays of the file: `param.NAME`; inputs, as the recipe's `fixtureInputs` name them: pictures `[batch, 3, height, width]` or clips
/// `[batch, 3, frames, height, width]`, already normalised, and for a mask the visible patches `[batch, visible]` in the order of their
/// tokens, or a number for each patch, 1 where it is hidden; `out.NAME` of the recipe's outputs, `out.loss`, `grad.NAME`, `train.losses`,
/// and where they are not all 1e-3 the learning rates `train.lr`; `after.NAME`. Recipe and sizes stand as JSON in the metadata, `config`.
public struct MathsFixture {
    /// The file's arrays.
    public let file: Safetensors
    /// The recipe that the values are of.
    public let recipe: AnyRecipe
    private let sizes: FixtureSizes

    /// Opens a file.
    ///
    /// - Throws: ``Failure`` for a file that cannot be read, and for one that is no such fixture: what it lacks.
    public init(path: String) throws {
        let file = try Safetensors(path: path)
        func refusal(_ why: String) -> Failure { Failure("\(path) is no fixture of the maths: \(why)") }
        guard let text = file.metadata["config"] else { throw refusal("its metadata has no 'config'") }
        let sizes: FixtureSizes
        do { sizes = try FixtureSizes(json: text, arrays: Set(file.entries.keys)) } catch {
            throw refusal("its 'config' is not the sizes of a model: \(text)")
        }
        let name = sizes.word("recipe", default: sizes.word("system", default: AnyRecipe().name))
        guard let kind = AnyRecipe.kind(name) else { throw refusal("there is no recipe '\(name)'") }
        self.file = file
        self.sizes = sizes
        // The sizes are believed only where arrays have them: a model of made-up ones may not fit into memory.
        func requireShape(_ name: String, _ shape: [Int]) throws {
            guard let found = file.entries[name]?.shape else { throw refusal("it holds no array '\(name)'") }
            guard found == shape else { throw refusal("'\(name)' has the shape \(found), not \(shape)") }
        }
        for name in kind.fixtureInputs(sizes)["frames"] ?? [] {
            try requireShape(name, [sizes.batch, 3] + (sizes.frames.map { [$0] } ?? []) + [sizes.height, sizes.width])
        }
        for (name, shape) in kind.parameterShapes(sizes) { try requireShape("param." + name, shape) }
        do { recipe = AnyRecipe(try kind.init(fixture: sizes)) } catch { throw refusal("\(error)") }
        if let (key, message) = recipe.value.problem { throw refusal("its \(key) \(message)") }
    }

    /// The recipe with the file's first weights.
    public func makeRecipe(precision: ModelPrecision = .f32, backend: any Backend) throws -> any Recipe {
        let model = recipe.value.makeRecipe(precision: precision, backend: backend)
        let known = Set(model.parameters.entries.map(\.name) + model.constants.map(\.name))
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

    /// The file's inputs.
    public func samples(_ arena: Arena) throws -> SampleBatch {
        let inputs = type(of: recipe.value).fixtureInputs(sizes)
        let size = (height: sizes.height, width: sizes.width)
        return try SampleBatch(count: sizes.batch, of: recipe.value.sampler, size: size, arena: arena) { array, images in
            arena.backend.upload(images, from: try pictures(inputs[array.name]!))
        } visible: { array in
            try visiblePatches(inputs[array.name]![0])
        }
    }

    /// Pictures in the order that a batch has them: all of a sample one after the other, and of each its channels.
    private func pictures(_ names: [String]) throws -> [Float] {
        let (arrays, frames, area) = (try names.map { try file.floats($0) }, sizes.frames ?? 1, sizes.height * sizes.width)
        return (0..<sizes.batch).flatMap { sample in
            arrays.flatMap { numbers in
                (0..<frames).flatMap { frame in
                    (0..<3).flatMap { channel in
                        let first = ((sample * 3 + channel) * frames + frame) * area
                        return numbers[first..<first + area]
                    }
                }
            }
        }
    }

    private func visiblePatches(_ name: String) throws -> [[Int32]] {
        let (batch, count) = (sizes.batch, sizes.patchCount)
        func refusal(_ why: String) -> Failure { Failure("\(file.name) is no fixture of the maths: '\(name)' \(why)") }
        let numbers = try file.integers(name)
        guard let shape = file.entries[name]?.shape, shape.count == 2, shape[0] == batch, batch > 0, shape[1] > 0 else {
            throw refusal("does not list patches of \(batch) pictures")
        }
        let rows = stride(from: 0, to: numbers.count, by: shape[1]).map { Array(numbers[$0..<$0 + shape[1]]) }
        let isMask = shape[1] == count && numbers.allSatisfy { $0 == 0 || $0 == 1 }
        let lists = isMask ? rows.map { row in row.indices.filter { row[$0] == 0 }.map(Int64.init) } : rows
        guard lists.allSatisfy({ $0.count < count }) else { throw refusal("hides nothing") }
        guard !lists[0].isEmpty, lists.allSatisfy({ $0.count == lists[0].count }) else {
            throw refusal("does not show equally many patches of each picture, and one at least")
        }
        guard lists.allSatisfy({ list in list.allSatisfy { (0..<Int64(count)).contains($0) } && Set(list).count == list.count }) else {
            throw refusal("does not list different patches of 0 to \(count - 1)")
        }
        return lists.map { $0.map(Int32.init) }
    }
}

/// The sizes of a fixture's model, from the JSON of its `config`.
public struct FixtureSizes {
    /// Height of the pictures in pixels.
    public let height: Int
    /// Their width in pixels.
    public let width: Int
    /// Frames of a clip; nil: the samples are pictures.
    public let frames: Int?
    /// Frames of a patch; 1 where the samples are pictures.
    public let framesPerPatch: Int
    /// Frames of a clip that are predicted; nil: nothing is said.
    public let predictedFrames: Int?
    public let encoder: EncoderSize
    public let decoder: DecoderSize
    /// Number of samples.
    public let batch: Int
    /// Share of the patches that is hidden; one that leaves a patch where nothing is said.
    public let ratio: Double
    /// Whether the target is normalised patch by patch.
    public let normalizesPatches: Bool
    /// Numbers per token within an MLP, as a multiple of those outside.
    public let mlpRatio: Double
    /// The length that all gradients together are shortened to; 0: they stay as they are.
    public let clipping: Double
    /// Names of the fixture's arrays.
    public let arrays: Set<String>
    private let members: [String: Any]

    private struct Numbers: Decodable {
        let patch, dim, depth, heads, ddim, ddepth, dheads, batch: Int
        let image, height, width, frames, tubelet, predicted: Int?
        let ratio, maskRatio, mlp, clip: Double?
        let normalize, normalizesPixels: Bool?

        enum CodingKeys: String, CodingKey {
            case image, height, width, frames, tubelet, predicted, patch, dim, depth, heads, ddim, ddepth, dheads, batch, ratio, mlp, clip,
                normalize
            case normalizesPixels = "norm_pix"
            case maskRatio = "mask_ratio"
        }
    }

    init(json: String, arrays: Set<String>) throws {
        let numbers = try JSONDecoder().decode(Numbers.self, from: Data(json.utf8))
        guard let height = numbers.image ?? numbers.height, let width = numbers.image ?? numbers.width else {
            throw Failure("there is no size of the pictures")
        }
        (self.height, self.width) = (height, width)
        (frames, framesPerPatch, predictedFrames) = (numbers.frames, numbers.tubelet ?? 1, numbers.predicted)
        encoder = EncoderSize(patch: numbers.patch, width: numbers.dim, depth: numbers.depth, heads: numbers.heads)
        decoder = DecoderSize(width: numbers.ddim, depth: numbers.ddepth, heads: numbers.dheads)
        batch = numbers.batch
        ratio = numbers.ratio ?? numbers.maskRatio ?? 0.5
        (mlpRatio, clipping) = (numbers.mlp ?? 4, numbers.clip ?? 0)
        normalizesPatches = numbers.normalize ?? numbers.normalizesPixels ?? true
        self.arrays = arrays
        members = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] ?? [:]
    }

    /// Patches of a sample.
    var patchCount: Int { (frames ?? 1) / framesPerPatch * (height / encoder.patch) * (width / encoder.patch) }

    /// The word of a key.
    func word(_ key: String, default word: String) -> String { members[key] as? String ?? word }

    /// Whether a key says true.
    func flag(_ key: String) -> Bool { members[key] as? Bool ?? false }

    /// What the word of a key stands for.
    func word<Word: RawRepresentable<String>>(_ key: String, default word: Word) throws -> Word {
        guard let text = members[key] as? String else { return word }
        guard let word = Word(rawValue: text) else { throw Failure("there is no \(key) '\(text)'") }
        return word
    }
}
