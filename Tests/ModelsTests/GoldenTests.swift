import Autograd
import Compute
import ComputeCPU
import Foundation
import Models
import TestSupport
import Testing
import Training

/// A model with the weights of a file of reference values, and the file.
///
/// Arrays: `param.NAME`, `input.f1`, `input.f2`, `input.keep`, `out.memory`, `out.latent`, `out.pred`, `out.loss`, `grad.NAME`,
/// `train.losses`, `after.NAME`; the sizes stand as JSON in the metadata.
struct Golden {
    let file: Safetensors
    let model: SiamMAE
    let frames: Tensor
    let visible: [[Int32]]
    let arena: Arena

    private struct Sizes: Decodable {
        let image, patch, dim, depth, heads, ddim, ddepth, dheads, batch, keep: Int
    }

    init(_ path: String) throws {
        file = try Safetensors(path: path)
        let sizes = try JSONDecoder().decode(Sizes.self, from: Data(file.metadata["config"]!.utf8))
        let backend = try CPUBackend(threads: 2)
        model = SiamMAE(
            .init(
                encoder: .init(
                    imageSize: sizes.image, patchSize: sizes.patch, width: sizes.dim, depth: sizes.depth, heads: sizes.heads),
                decoder: .init(width: sizes.ddim, depth: sizes.ddepth, heads: sizes.dheads)),
            seed: 0, backend: backend)
        for entry in model.parameters.entries {
            let numbers = try file.floats("param." + entry.name, shape: entry.shape)
            backend.upload(model.parameters.parameter(entry.name).value, from: numbers)
        }
        arena = Arena(backend: backend)
        frames = arena.tensor([2 * sizes.batch, 3, sizes.image, sizes.image])
        backend.upload(frames, from: try file.floats("input.f1") + file.floats("input.f2"))
        visible = try file.integers("input.keep").map { Int32($0) }.chunked(sizes.keep)
    }

    func numbers(_ tensor: Tensor) -> [Float] { Array(UnsafeBufferPointer(start: tensor.pointer, count: tensor.count)) }

    /// The largest difference over the largest value.
    func error(_ numbers: [Float], _ name: String, only range: ((Int) -> Bool) = { _ in true }) throws -> Double {
        let expected = try file.floats(name)
        try #require(numbers.count == expected.count, "\(name)")
        let largest = expected.map { abs($0) }.max()!
        let difference = numbers.indices.filter(range).map { abs(numbers[$0] - expected[$0]) }.max()!
        return numbers.allSatisfy(\.isFinite) ? Double(difference / largest) : .infinity
    }
}

extension Array {
    func chunked(_ size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<$0 + size]) }
    }
}

@Suite struct GoldenTests {
    /// Files of reference values: the committed one, and the larger ones where they are at hand.
    static let files: [String] = {
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let shared = Shared.folder.map { folder in ["siammae-tiny", "siammae-patch4"].map { "\(folder)/golden/maths/\($0).safetensors" } }
        return [fixtures.appendingPathComponent("Fixtures/Maths/siammae-small.safetensors").path] + (shared ?? [])
    }()

    /// Bounds on relative errors, four times and more what float32 PyTorch is away from float64.
    static let outputTolerance = 2e-5
    static let lossTolerance = 5e-6
    static let parameterTolerance = 1e-4

    @Test(.enabled(if: Shared.folder != nil, "TANDEM_SHARED is not there: only the committed reference file is compared"))
    func largerReferenceFilesAreCompared() {
        #expect(Self.files.count == 3 && Self.files.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    }

    @Test(arguments: files) func outputsAgreeWithPyTorch(path: String) throws {
        let golden = try Golden(path)
        let tape = Tape(arena: golden.arena, isRecording: false)
        let (tokens, sequences) = golden.model.encode(golden.frames, visible: golden.visible, on: tape)
        let past = sequences[golden.visible.count].lowerBound
        let all = golden.numbers(tokens.value), width = tokens.value.columns
        #expect(try golden.error(Array(all[..<(past * width)]), "out.memory") < Self.outputTolerance)
        #expect(try golden.error(Array(all[(past * width)...]), "out.latent") < Self.outputTolerance)

        let (loss, prediction) = golden.model.loss(golden.frames, visible: golden.visible, on: tape)
        let patches = golden.model.patches(of: prediction, pairs: golden.visible.count, arena: golden.arena)
        #expect(try golden.error(patches, "out.pred") < Self.outputTolerance)
        #expect(try golden.error([Float(loss)], "out.loss") < Self.lossTolerance)
    }

    @Test(arguments: files) func everyGradientAgreesWithPyTorch(path: String) throws {
        let golden = try Golden(path)
        let tape = Tape(arena: golden.arena, isRecording: true)
        _ = golden.model.loss(golden.frames, visible: golden.visible, on: tape)
        tape.backward()
        for entry in golden.model.parameters.entries {
            let error = try golden.error(golden.numbers(golden.model.parameters.parameter(entry.name).gradient), "grad." + entry.name)
            #expect(error < Self.outputTolerance, "gradient of \(entry.name)")
        }
    }

    @Test(arguments: files) func tenStepsAgreeWithPyTorch(path: String) throws {
        let golden = try Golden(path)
        let parameters = golden.model.parameters
        var losses: [Float] = []
        for step in 1...10 {
            parameters.clearGradients()
            let tape = Tape(arena: golden.arena, isRecording: true)
            losses.append(Float(golden.model.loss(golden.frames, visible: golden.visible, on: tape).loss))
            tape.backward()
            AdamW().update(parameters, learningRate: 1e-3, step: step)
        }
        let expected = try golden.file.floats("train.losses")
        for (step, pair) in zip(losses, expected).enumerated() {
            #expect(Double(abs(pair.0 / pair.1 - 1)) < Self.lossTolerance, "loss of step \(step + 1)")
        }
        for entry in parameters.entries {
            // A key's bias does not change a softmax. Its gradient is rounding noise, which AdamW blows up to whole steps.
            let keys: Range<Int> =
                switch entry.name {
                case let name where name.hasSuffix("attn.qkv.bias"): entry.range.count / 3..<entry.range.count * 2 / 3
                case let name where name.hasSuffix("cross_attn.kv.bias"): 0..<entry.range.count / 2
                default: 0..<0
                }
            let error = try golden.error(golden.numbers(parameters.parameter(entry.name).value), "after." + entry.name) {
                !keys.contains($0)
            }
            #expect(error < Self.parameterTolerance, "\(entry.name) after ten steps")
        }
    }
}
