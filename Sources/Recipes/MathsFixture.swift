import Autograd
import Base
import Compute
import Foundation
import Models
import Sampling
import Training
import WeightFiles

/// Reference values for the maths, made by PyTorch: a small model of a recipe with its inputs, outputs, gradients, and ten steps of AdamW.
///
/// Arrays of the file: `param.NAME`; inputs, as the recipe's `fixtureInputs` name them: pictures `[batch, 3, height, width]` or clips
/// `[batch, 3, frames, height, width]`, already normalised, and for a mask the visible patches `[batch, visible]` in the order of their
/// tokens, or a number for each patch, 1 where it is hidden; `out.NAME` of the recipe's outputs, `out.loss`, `grad.NAME`, `train.losses`,
/// and where they are not all 1e-3 the learning rates `train.lr`; `after.NAME`. A recipe's state stands under its names in checkpoints, or after
/// `param.`, and as it is after the steps after `after_` or `after.`. Recipe and sizes stand as JSON in the metadata, `config`.
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
        guard let kind = AnyRecipe.kind(ofSystem: name) else { throw refusal("there is no recipe '\(name)'") }
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
        let known = Set(model.parameters.entries.map(\.name) + model.constants.map(\.name) + model.state.map(\.name))
        if let unknown = file.entries.keys.sorted().first(where: { $0.hasPrefix("param.") && !known.contains(String($0.dropFirst(6))) }) {
            throw Failure("\(file.name) is no fixture of the maths: a model of its 'config' has no '\(unknown)'")
        }
        for entry in model.parameters.entries {
            let numbers = try file.floats("param." + entry.name, shape: entry.shape)
            backend.upload(model.parameters.parameter(entry.name).value, from: numbers)
        }
        model.parameters.refreshOperands()
        for part in model.state {
            guard let name = firstName(of: part) else {
                if part.isCount { continue }
                throw refusal("it holds no array '\(part.name)'")
            }
            backend.upload(part.values, from: try numbers(name, shape: part.values.shape))
        }
        model.teacher?.parameters.refreshOperands()
        try model.take(file)
        return model
    }

    /// The array that a part of the state begins as; nil where there is none.
    private func firstName(of part: StateArray) -> String? { [part.name, "param." + part.name].first { file.entries[$0] != nil } }

    /// The array that a part of the state is compared with after the steps; nil where there is none.
    public func lastName(of part: StateArray) -> String? {
        ["after_" + part.name, "after." + part.name].first { file.entries[$0] != nil }
    }

    /// The numbers of an array, which may be whole ones.
    public func numbers(_ name: String, shape: [Int]? = nil) throws -> [Float] {
        if let shape, let found = file.entries[name]?.shape, found != shape {
            throw refusal("'\(name)' has the shape \(found), not \(shape)")
        }
        if let integers = try? file.integers(name) { return integers.map { Float($0) } }
        return try file.floats(name)
    }

    private func refusal(_ why: String) -> Failure { Failure("\(file.name) is no fixture of the maths: \(why)") }

    /// Where a step of the fixture's run stands.
    public func position(ofStep step: Int) -> RunPosition {
        let (epochs, perEpoch) = (sizes.number("epochs", default: 1), sizes.number("steps_per_epoch", default: 10))
        let total = max(1, Int(epochs * perEpoch))
        return RunPosition(step: step, totalSteps: total, progress: Double(step) / Double(total), epochs: epochs, seed: 0)
    }

    /// The file's inputs.
    public func samples(_ arena: Arena) throws -> SampleBatch {
        let inputs = type(of: recipe.value).fixtureInputs(sizes)
        let arrays = recipe.value.sampler.arrays.map(\.name).filter { inputs[$0] != nil }
        let shapes = arrays.compactMap { name in file.entries[inputs[name]![0]].map { (name, $0.shape) } }.filter { $1.count >= 4 }
        let imageSizes = shapes.map { name, shape in (name, (height: shape[shape.count - 2], width: shape[shape.count - 1])) }
        return try SampleBatch(
            samples: Array(0..<sizes.batch), of: recipe.value.sampler, sizes: Dictionary(uniqueKeysWithValues: imageSizes), arena: arena
        ) { array, images in
            arena.backend.upload(images, from: try pictures(inputs[array.name]!, area: images.shape[2] * images.shape[3], images.count))
        } visible: { array in
            let isWhole = array.zeros!.count == 1
            let count = isWhole ? sizes.patchCount : array.shape[0]
            let masks = try inputs[array.name]!.map { try visiblePatches($0, isWhole: isWhole, of: count) }
            // Masks of several pictures are one, the patches of the first before those of the second.
            return (0..<sizes.batch).map { sample in
                masks.enumerated().flatMap { picture, mask in mask[sample].map { Int32(picture * count) + $0 } }
            }
        } numbers: { array in
            let numbers = try file.floats(inputs[array.name]![0], shape: [sizes.batch] + array.shape), length = array.shape.reduce(1, *)
            return (0..<sizes.batch).map { Array(numbers[$0 * length..<($0 + 1) * length]) }
        }
    }

    /// Pictures in the order that a batch has them: all of a sample one after the other, and of each its channels. An array may hold several
    /// of each sample: the first of all samples, then the second.
    private func pictures(_ names: [String], area: Int, _ count: Int) throws -> [Float] {
        let (arrays, frames, batch) = (try names.map { try file.floats($0) }, sizes.frames ?? 1, sizes.batch)
        guard arrays.reduce(0, { $0 + $1.count }) == count else { throw refusal("\(names) do not hold the pictures of \(batch) samples") }
        var pictures: [Float] = []
        for sample in 0..<batch {
            for numbers in arrays {
                for picture in 0..<numbers.count / (batch * 3 * frames * area) {
                    for frame in 0..<frames {
                        for channel in 0..<3 {
                            let first = (((picture * batch + sample) * 3 + channel) * frames + frame) * area
                            pictures += numbers[first..<first + area]
                        }
                    }
                }
            }
        }
        return pictures
    }

    /// For each sample the patches that a mask leaves: of lists as they stand, of masks in their order.
    ///
    /// - Parameters:
    ///   - isWhole: whether equally many are left of each sample, and some hidden.
    ///   - count: patches of a sample; a mask may be in parts, the first of all samples, then the second.
    private func visiblePatches(_ name: String, isWhole: Bool, of count: Int) throws -> [[Int32]] {
        let batch = sizes.batch
        func refusal(_ why: String) -> Failure { self.refusal("'\(name)' \(why)") }
        let numbers = try file.integers(name)
        guard let shape = file.entries[name]?.shape, shape.count == 2, batch > 0, shape[0] > 0, shape[0] % batch == 0, shape[1] > 0 else {
            throw refusal("does not list patches of \(batch) pictures")
        }
        let (parts, width) = (shape[0] / batch, shape[1])
        let rows = (0..<batch).map { sample -> [Int64] in
            (0..<parts).flatMap { part -> ArraySlice<Int64> in
                let first = (part * batch + sample) * width
                return numbers[first..<first + width]
            }
        }
        let isMask = parts * width == count && numbers.allSatisfy { $0 == 0 || $0 == 1 }
        let lists = isMask ? rows.map { row in row.indices.filter { row[$0] == 0 }.map(Int64.init) } : rows
        if isWhole {
            guard lists.allSatisfy({ $0.count < count }) else { throw refusal("hides nothing") }
            guard lists.allSatisfy({ $0.count == lists[0].count }) else {
                throw refusal("does not show equally many patches of each picture, and one at least")
            }
        }
        guard lists.allSatisfy({ !$0.isEmpty }) else {
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
    /// The decoder's; zeros where nothing is said.
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
        let patch, dim, depth, heads, batch: Int
        let ddim, ddepth, dheads, image, height, width, frames, tubelet, predicted: Int?
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
        decoder = DecoderSize(width: numbers.ddim ?? 0, depth: numbers.ddepth ?? 0, heads: numbers.dheads ?? 0)
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

    /// The number of a key.
    func number(_ key: String, default number: Double) -> Double { (members[key] as? NSNumber)?.doubleValue ?? number }

    /// The whole number of a key.
    func whole(_ key: String, default number: Int) -> Int { (members[key] as? NSNumber)?.intValue ?? number }

    /// The numbers of a key.
    func numbers(_ key: String) -> [Double]? { (members[key] as? [NSNumber])?.map(\.doubleValue) }

    /// What the word of a key stands for.
    func word<Word: RawRepresentable<String>>(_ key: String, default word: Word) throws -> Word {
        guard let text = members[key] as? String else { return word }
        guard let word = Word(rawValue: text) else { throw Failure("there is no \(key) '\(text)'") }
        return word
    }
}
