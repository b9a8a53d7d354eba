import Autograd
import Base
import Compute
import Foundation
import Models
import Recipes
import Sampling
import TestBackends
import TestSupport
import Testing
import Training
import WeightFiles

/// transformers loads what is exported, strictly, and computes the same; and the other way round.
@Suite(.serialized, .enabled(if: Peers.python != nil, "\(Peers.absence)"), .timeLimit(.minutes(30)))
struct TransformersTests {
    private let backend: any Backend
    private let folder: TemporaryFolder
    private let script = Programs.package + "/Tests/Fixtures/Weights/transformers_peer.py"

    init() throws {
        backend = try TestBackend.cpu.open()
        folder = try TemporaryFolder()
    }

    /// A model of images of 32 pixels with random numbers everywhere, in a checkpoint's file.
    private func write(_ settings: some RecipeSettings) throws -> (model: any Recipe, weights: EncoderWeights) {
        let model = AnyRecipe(settings).makeRecipe(seed: 4, precision: .f32, backend: backend)
        let noise = TestNumbers.normal(model.parameters.count, seed: 8)
        backend.upload(model.parameters.values, from: zip(backend.download(model.parameters.values), noise).map { $0 + 0.05 * $1 })
        let metadata = Checkpoint.Metadata(
            step: 1, samplesSeen: 1, seed: 4, manifestHash: "", pipeline: "{}", encoder: model.encoder.configuration.remarks)
        try Checkpoint.write(
            to: folder.file("checkpoint.safetensors"), metadata, model.parameters, state: model.state, constants: model.constants)
        return (model, try EncoderWeights(path: folder.file("checkpoint.safetensors")))
    }

    private func write(inputs: [String: (shape: [Int], numbers: [Float])]) throws {
        try Safetensors.write(
            to: folder.file("input.safetensors"), metadata: [:],
            inputs.map { name, input in Safetensors.Array(name: name, shape: input.shape) { input.numbers } })
    }

    private var output: Safetensors { get throws { try Safetensors(path: folder.file("output.safetensors")) } }

    /// Loss and predictions of MAE with the same patches visible: the four whose noise is least.
    @Test(arguments: [true, false]) func maeComputesTheSame(isNormalized: Bool) throws {
        var settings = MAE.Settings()
        (settings.sampling.imageSize, settings.model.normalizedPixelLoss) = (32, isNormalized)
        settings.model.size = .free(EncoderSize(patch: 8, width: 24, depth: 2, heads: 2))
        settings.model.decoderSize = .free(DecoderSize(width: 16, depth: 2, heads: 4))
        let (model, weights) = try write(settings)
        try FileManager.default.createDirectory(atPath: folder.file("hf"), withIntermediateDirectories: false)
        let loader = try weights.writeTransformers(to: folder.file("hf"), decoder: (heads: 4, normalizesPatches: isNormalized))
        #expect(loader == "ViTMAEForPreTraining")

        let image = TestNumbers.normal(2 * 3 * 32 * 32, seed: 9)
        let noise = (0..<2).flatMap { sample in (0..<16).map { Float(($0 * 7 + sample * 3) % 16) } }
        try write(inputs: ["image": ([2, 3, 32, 32], image), "noise": ([2, 16], noise)])
        try Peers.run(script, ["run", folder.file("hf"), folder.file("input.safetensors"), folder.file("output.safetensors")])

        let arena = Arena(backend: backend)
        let batch = SampleBatch(samples: [0, 1], of: settings.sampler, arena: arena) { _, images in
            backend.upload(images, from: image)
        } visible: { _ in
            (0..<2).map { sample in (0..<16).sorted { noise[sample * 16 + $0] < noise[sample * 16 + $1] }[..<4].map { Int32($0) } }
        }
        let (tape, sum) = (Tape(arena: arena, isRecording: false), backend.array(of: Double.self, count: 1))
        model.addLoss(of: batch, share: 1, to: sum, on: tape)
        #expect(abs(backend.download(sum)[0] / Double(try output.floats("loss")[0]) - 1) < 1e-5)
        for (name, value) in model.outputs(of: batch, on: tape) {
            let expected = try output.floats(name == "pred" ? "logits" : "features")
            #expect(TestNumbers.relativeError(arena.numbers(of: value), expected.doubles) < 1e-5, "\(name)")
        }
    }

    /// Loss and predictions of VideoMAE with the same patches visible, others of each clip. Its decoder's last layer norm has an epsilon of
    /// 1e-5 in transformers, of 1e-6 in the published code (transformers 5.24, models/videomae): predictions are as far off.
    @Test(arguments: [true, false]) func videoMAEComputesTheSame(isNormalized: Bool) throws {
        var settings = VideoMAE.Settings()
        (settings.sampling.imageSize, settings.sampling.frames, settings.model.normalizedPixelLoss) = (32, 4, isNormalized)
        settings.model.size = .free(ClipEncoderSize(patch: 8, width: 24, depth: 2, heads: 2))
        settings.model.decoderSize = .free(ClipDecoderSize(width: 16, depth: 2, heads: 4))
        let (model, weights) = try write(settings)
        #expect(weights.frames == 4 && weights.gridSize == 4 && weights.kind == .videoMAE)
        try FileManager.default.createDirectory(atPath: folder.file("hf"), withIntermediateDirectories: false)
        let loader = try weights.writeTransformers(to: folder.file("hf"), decoder: (heads: 4, normalizesPatches: isNormalized))
        #expect(loader == "VideoMAEForPreTraining")

        let clips = TestNumbers.normal(2 * 4 * 3 * 32 * 32, seed: 9)
        let visible: [[Int32]] = [[0, 7, 12, 30], [3, 4, 17, 25]]
        let mask = visible.flatMap { own in (0..<32).map { own.contains($0) ? Float(0) : 1 } }
        try write(inputs: ["clip": ([2, 4, 3, 32, 32], clips), "mask": ([2, 32], mask)])
        try Peers.run(script, ["run", folder.file("hf"), folder.file("input.safetensors"), folder.file("output.safetensors")])

        let arena = Arena(backend: backend)
        let batch = SampleBatch(samples: [0, 1], of: settings.sampler, arena: arena) { _, images in
            backend.upload(images, from: clips)
        } visible: { _ in
            visible
        }
        let (tape, sum) = (Tape(arena: arena, isRecording: false), backend.array(of: Double.self, count: 1))
        model.addLoss(of: batch, share: 1, to: sum, on: tape)
        #expect(abs(backend.download(sum)[0] / Double(try output.floats("loss")[0]) - 1) < 1e-5)
        for (name, value) in model.outputs(of: batch, on: tape) {
            let expected = try output.floats(name == "pred" ? "logits" : "features")
            #expect(TestNumbers.relativeError(arena.numbers(of: value), expected.doubles) < (name == "pred" ? 4e-5 : 1e-5), "\(name)")
        }
    }

    private static let withoutMAEsDecoder: [AnyRecipe] = {
        var (siamMAE, ibot) = (SiamMAE.Settings(), IBOT.Settings())
        (siamMAE.sampling.imageSize, ibot.sampling.imageSize) = (32, 32)
        siamMAE.model.size = .free(EncoderSize(patch: 8, width: 24, depth: 2, heads: 2))
        siamMAE.model.decoderSize = .free(DecoderSize(width: 16, depth: 1, heads: 2))
        ibot.model.size = siamMAE.model.size
        (ibot.model.headWidth, ibot.model.bottleneck, ibot.model.outputs, ibot.model.patchOutputs) = (20, 8, 30, 30)
        return [AnyRecipe(siamMAE), AnyRecipe(ibot)]
    }()

    /// What has no MAE decoder is a ViTModel.
    @Test(arguments: withoutMAEsDecoder) func anEncoderIsAViTModel(settings: AnyRecipe) throws {
        let (model, checkpoint) = try write(settings.value)
        // Of iBOT that which is trained, whose numbers the model has.
        let weights = settings.name == "ibot" ? try EncoderWeights(checkpoint.file, entry: "student") : checkpoint
        try FileManager.default.createDirectory(atPath: folder.file("hf"), withIntermediateDirectories: false)
        #expect(try weights.writeTransformers(to: folder.file("hf"), decoder: nil) == "ViTModel")
        let image = TestNumbers.normal(3 * 32 * 32, seed: 9)
        try write(inputs: ["image": ([1, 3, 32, 32], image)])
        try Peers.run(script, ["run", folder.file("hf"), folder.file("input.safetensors"), folder.file("output.safetensors")])
        #expect(try features(model.encoder, image) < 1e-5)
    }

    /// As transformers writes it now: its decoder's names are others than those of the published checkpoints.
    @Test(arguments: ["ViTModel", "ViTMAEForPreTraining", "VideoMAEForPreTraining"]) func whatTransformersWritesIsRead(kind: String) throws
    {
        try Peers.run(script, ["random", kind, folder.file("hf")])
        let weights = try EncoderWeights(path: folder.file("hf") + "/model.safetensors", heads: 2)
        try weights.check()
        try FileManager.default.moveItem(atPath: folder.file("hf") + "/features.safetensors", toPath: folder.file("output.safetensors"))
        #expect(try features(weights.makeEncoder(backend: backend), output.floats("image")) < 1e-5)
        guard kind != "VideoMAEForPreTraining" else {
            try weights.writeModel(to: folder.file("videomae.safetensors"))
            let names = Set(try Safetensors(path: folder.file("videomae.safetensors")).entries.keys)
            #expect(names.isSuperset(of: ["decoder.blocks.1.attn.q_bias", "mask_token", "encoder.norm.weight", "decoder.head.weight"]))
            #expect(names.count == 4 + 2 * 13 + 2 + 2 * 13 + 4)
            return
        }
        guard kind == "ViTMAEForPreTraining" else {
            #expect(throws: Failure.self) { try weights.writeModel(to: folder.file("mae.safetensors")) }
            return
        }
        try weights.writeModel(to: folder.file("mae.safetensors"))
        let names = Set(try Safetensors(path: folder.file("mae.safetensors")).entries.keys)
        #expect(names.isSuperset(of: ["decoder_blocks.1.attn.qkv.bias", "mask_token", "decoder_pos_embed", "decoder_pred.weight"]))
        #expect(names.count == 6 + 2 * 12 + 8 + 2 * 12)
    }

    /// The difference of our features of an image, or of a clip, and those of the output, relative to the largest.
    private func features(_ encoder: any EncoderModel, _ image: [Float]) throws -> Double {
        let (arena, size) = (Arena(backend: backend), encoder.configuration.imageSize)
        let tensor = arena.tensor([image.count / (3 * size * size), 3, size, size])
        backend.upload(tensor, from: image)
        let features = backend.download(encoder.features(tensor, clips: 1, arena: arena))
        return TestNumbers.relativeError(features, try output.floats("features").doubles)
    }
}
