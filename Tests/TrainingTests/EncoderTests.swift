import Autograd
import Base
import Compute
import Foundation
import Models
import Recipes
import TestBackends
import TestSupport
import Testing
import Training
import WeightFiles

struct EncoderTests {
    private let backend: any Backend
    private let folder: TemporaryFolder

    init() throws {
        backend = try TestBackend.cpu.open(threads: 1)
        folder = try TemporaryFolder()
    }

    /// A SiamMAE with patches of 8 pixels.
    private func model(encoderKind: SiamMAE.EncoderKind = .siamese) -> SiamMAE {
        var settings = SiamMAE.Settings()
        (settings.sampling.imageSize, settings.mask.ratio, settings.model.encoder) = (32, 0.75, encoderKind)
        settings.model.size = .free(EncoderSize(patch: 8, width: 32, depth: 2, heads: 4))
        settings.model.decoderSize = .free(DecoderSize(width: 16, depth: 1, heads: 2))
        return AnyRecipe(settings).makeRecipe(seed: 3, precision: .f32, backend: backend) as! SiamMAE
    }

    private func features(_ encoder: any EncoderModel) -> [Float] {
        let arena = Arena(backend: backend)
        let image = arena.tensor([1, 3, 16, 24])
        backend.upload(image, from: (0..<image.count).map { Float($0 % 7) - 3 })
        return backend.download(encoder.features(ofPictures: image, arena: arena))
    }

    private func write(_ model: any Recipe, constants: [Safetensors.Array]) throws -> String {
        let metadata = Checkpoint.Metadata(
            step: 1, samplesSeen: 1, seed: 3, manifestHash: "", pipeline: "{}", encoder: model.encoder.configuration.remarks)
        let path = folder.file("a.safetensors")
        try Checkpoint.write(to: path, metadata, model.parameters, constants: constants)
        return path
    }

    @Test(arguments: SiamMAE.EncoderKind.allCases) func aSentEncoderGivesTheModelsFeatures(encoderKind: SiamMAE.EncoderKind) throws {
        let model = model(encoderKind: encoderKind)
        let sent = try EncoderWeights(path: write(model, constants: model.constants)).encoded()
        let weights = try EncoderWeights(bytes: sent, name: "sent")
        // What tells the frames of a pair apart is no part of an encoder of single images.
        #expect(try Safetensors(data: Data(sent), name: "sent").entries["frame_embed"] == nil)
        #expect(weights.pipeline == "{}")
        let encoder = try weights.makeEncoder(backend: backend)
        #expect(encoder.configuration == model.encoder.configuration)
        #expect(features(encoder) == features(model.encoder))
    }

    private static let ofClips: [AnyRecipe] = {
        var (videoMAE, maeST) = (VideoMAE.Settings(), MAEST.Settings())
        (videoMAE.sampling.imageSize, videoMAE.sampling.frames) = (32, 4)
        videoMAE.model.size = .free(ClipEncoderSize(patch: 8, width: 32, depth: 2, heads: 4))
        videoMAE.model.decoderSize = .free(ClipDecoderSize(width: 16, depth: 1, heads: 2))
        (maeST.sampling.imageSize, maeST.sampling.frames, maeST.model.predictedFrames) = (32, 4, 2)
        (maeST.model.size, maeST.model.decoderSize) = (videoMAE.model.size, videoMAE.model.decoderSize)
        return [AnyRecipe(videoMAE), AnyRecipe(maeST)]
    }()

    /// Features of clips of the training's size are the model's own, those of a picture are those of two equal frames, and all of it reaches
    /// an evaluator.
    @Test(arguments: ofClips) func aSentEncoderOfClipsGivesTheModelsFeatures(settings: AnyRecipe) throws {
        let model = settings.makeRecipe(seed: 3, precision: .f32, backend: backend)
        let path = try write(model, constants: model.constants)
        let read = try WeightFile(path: path).makeRecipe(settings, backend: backend)
        #expect(backend.download(read.parameters.values) == backend.download(model.parameters.values))

        let encoder = try EncoderWeights(bytes: EncoderWeights(path: path).encoded(), name: "sent").makeEncoder(backend: backend)
        #expect(encoder.configuration == model.encoder.configuration && encoder.pixelStatistics == model.encoder.pixelStatistics)
        let arena = Arena(backend: backend)
        let clips = arena.tensor([8, 3, 32, 32])
        backend.upload(clips, from: TestNumbers.normal(clips.count, seed: 2))
        let features = encoder.features(clips, clips: 2, arena: arena)
        #expect(features.shape == [2, 32, 32])
        let own = SampleBatch(samples: [0, 1], of: settings.value.sampler, arena: arena) { _, images in
            backend.copy(images.bytes, clips.bytes)
        } visible: { _ in
            [Array(0..<32), Array(0..<32)]
        }
        let whole = model.outputs(of: own, on: Tape(arena: arena, isRecording: false)).first { $0.name == "latent" }!.value
        #expect(backend.download(features) == arena.numbers(of: whole))

        // Of a clip of two steps the middle is the second.
        let first = clips.reshaped([8 * 3 * 32 * 32]).elements(0..<4 * 3 * 32 * 32).reshaped([4, 3, 32, 32])
        let middle = backend.download(encoder.features(ofMiddleOf: first, arena: arena))
        #expect(middle == Array(backend.download(features)[16 * 32..<32 * 32]))

        let picture = clips.reshaped([8 * 3 * 32 * 32]).elements(0..<3 * 32 * 48).reshaped([1, 3, 32, 48])
        let twice = arena.tensor([2, 3, 32, 48])
        for frame in 0..<2 { backend.copy(twice.elements(frame * picture.count..<(frame + 1) * picture.count).bytes, picture.bytes) }
        let still = backend.download(encoder.features(ofPictures: picture, arena: arena))
        #expect(still == backend.download(encoder.features(twice, clips: 1, arena: arena)) && still.count == 24 * 32)
        #expect(still.allSatisfy { $0.isFinite })
    }

    /// PySlowFast keeps queries, keys and values of MAE-ST in one array, in this order, each a third of its rows.
    @Test func anEncoderOfPySlowFastIsMAESTs() throws {
        let model = Self.ofClips[1].makeRecipe(seed: 3, precision: .f32, backend: backend)
        let own = try WeightFile(path: write(model, constants: model.constants))
        let arrays = try own.entries.filter { !$0.key.hasPrefix("decoder_") && !$0.key.hasPrefix("optimizer.") }.flatMap {
            name, entry -> [Safetensors.Array] in
            if name.contains(".attn.k.") || name.contains(".attn.v.") { return [] }
            let isQuery = name.contains(".attn.q.")
            let parts = isQuery ? ["q", "k", "v"].map { name.replacingOccurrences(of: ".q.", with: ".\($0).") } : [name]
            let rows = try parts.flatMap { try own.floats($0) }
            let shape = [entry.shape[0] * parts.count] + entry.shape.dropFirst()
            let fused = name.replacingOccurrences(of: ".attn.q.", with: ".attn.qkv.")
            return [Safetensors.Array(name: "model_state." + fused, shape: shape) { rows }]
        }
        let path = folder.file("slowfast.safetensors")
        try Safetensors.write(to: path, metadata: EncoderRemarks(heads: 4).strings, arrays)
        #expect(try Safetensors(path: path).entries["model_state.blocks.1.attn.qkv.weight"]?.shape == [96, 32])
        let encoder = try EncoderWeights(path: path).makeEncoder(backend: backend)
        let arena = Arena(backend: backend)
        let clip = arena.tensor([4, 3, 32, 32])
        backend.upload(clip, from: TestNumbers.normal(clip.count, seed: 2))
        #expect(
            backend.download(encoder.features(clip, clips: 1, arena: arena))
                == backend.download(model.encoder.features(clip, clips: 1, arena: arena)))
    }

    @Test func aJointEncodersFrameEmbeddingStaysWithTheWholeModel() throws {
        let joint = model(encoderKind: .joint)
        let weights = try EncoderWeights(path: write(joint, constants: joint.constants))
        #expect(weights.entries["frame_embed"] == nil)
        try weights.check()
        try weights.writeModel(to: folder.file("whole.safetensors"))
        let whole = try Safetensors(path: folder.file("whole.safetensors"))
        #expect(whole.entries["frame_embed"]?.shape == [1, 2, 32])
        #expect(Set(whole.entries.keys) == Set(joint.parameters.entries.map(\.name) + ["pos_embed", "decoder_pos_embed"]))
    }

    /// Expected: Tests/Fixtures/Weights/attention.py.
    @Test func attentionAgreesWithPyTorch() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = tests.appendingPathComponent("Fixtures/Weights/encoder.safetensors").path
        let encoder = try EncoderWeights(WeightFile(path: path), heads: 2).makeEncoder(backend: backend)
        let arena = Arena(backend: backend)
        let image = arena.tensor([1, 3, 12, 12])
        backend.upload(image, from: (0..<image.count).map { Float($0 % 7) - 3 })
        let attention = encoder.lastAttention(image, patches: [nil, 5], arena: arena)
        let expected: [Float] = [
            0.0, 0.0, 3.3e-05, 0.0, 0.392707, 0.0, 0.0, 0.60726, 0.0,
            0.0, 0.0, 0.427362, 1e-06, 0.512204, 0.0, 0.0, 0.060424, 8e-06,
            0.0, 0.0, 2.4e-05, 0.0, 0.459437, 0.0, 0.0, 0.540539, 0.0,
            0.0, 1e-06, 0.401303, 3e-06, 0.548308, 1e-06, 0.0, 0.050363, 2e-05,
        ]
        #expect(attention.count == expected.count)
        for (found, expected) in zip(attention, expected) { #expect(abs(found - expected) < 2e-5) }
    }

    @Test func aWholeModelIsReadWithItsDecoder() throws {
        let model = model()
        let path = try write(model, constants: model.constants)
        let settings = AnyRecipe(model.settings)
        let read = try WeightFile(path: path).makeRecipe(settings, backend: backend)
        func prediction(_ recipe: any Recipe) -> [Float] {
            let arena = Arena(backend: backend)
            return RandomSamples(of: settings.value.sampler, count: 2).withBlocks { samples in
                let batch = SampleBatch(samples, of: settings.value.sampler, arena: arena)
                return arena.numbers(of: recipe.outputs(of: batch, on: Tape(arena: arena, isRecording: false)).last!.value)
            }
        }
        #expect(prediction(read) == prediction(model))
        let alone = folder.file("encoder.safetensors")
        try EncoderWeights(path: path).write(to: alone)
        let refusal = #expect(throws: Failure.self) {
            try WeightFile(path: alone).makeRecipe(settings, backend: backend)
        }
        #expect("\(try #require(refusal))".contains("holds no 'decoder_embed.weight', which the whole model of its pipeline needs"))
    }

    @Test func learnedPositionsAreUsed() throws {
        let model = model()
        let table = (0..<17 * 32).map { Float($0 % 13) * 0.02 }
        let learned = Safetensors.Array(name: "pos_embed", shape: [1, 17, 32]) { table }
        let encoder = try EncoderWeights(path: write(model, constants: [learned])).makeEncoder(backend: backend)
        #expect((encoder as? VisionTransformer)?.positions.values == table)
        #expect(features(encoder) != features(model.encoder))
    }

    @Test func otherKindsOfTransformersAreRefused() throws {
        let model = model()
        let scale = Safetensors.Array(name: "blocks.0.ls1.gamma", shape: [32]) { [Float](repeating: 1, count: 32) }
        let path = try write(model, constants: model.constants + [scale])
        #expect(
            throws: Failure(
                "\(path) is of another kind of vision transformer: it has 'blocks.0.ls1.gamma', which a plain one lacks,"
                    + " so its features would come out wrong")
        ) { try EncoderWeights(path: path).makeEncoder(backend: backend) }
    }

    /// Expected: MAE's models_mae.py (`mae_vit_huge_patch14`) and timm's vision_transformer.py.
    @Test(arguments: [
        (192, 16, 3), (384, 8, 6), (384, 16, 6), (768, 16, 12), (1024, 16, 16), (1024, 14, 16), (1280, 14, 16), (1408, 14, 16), (8, 4, 1),
        (1280, 16, nil), (128, 16, nil), (1000, 20, nil), (1536, 14, nil),
    ])
    func headsAreThoseOfPublishedEncoders(width: Int, patch: Int, heads: Int?) throws {
        let path = folder.file("b.safetensors")
        let shapes = [
            "cls_token": [1, 1, width], "pos_embed": [1, 2, width], "patch_embed.proj.weight": [width, 3, patch, patch],
            "patch_embed.proj.bias": [width], "norm.weight": [width], "norm.bias": [width], "blocks.0.norm1.weight": [width],
            "blocks.0.norm1.bias": [width], "blocks.0.norm2.weight": [width], "blocks.0.norm2.bias": [width],
            "blocks.0.attn.qkv.weight": [3 * width, width], "blocks.0.attn.qkv.bias": [3 * width],
            "blocks.0.attn.proj.weight": [width, width], "blocks.0.attn.proj.bias": [width],
            "blocks.0.mlp.fc1.weight": [4 * width, width], "blocks.0.mlp.fc1.bias": [4 * width],
            "blocks.0.mlp.fc2.weight": [width, 4 * width], "blocks.0.mlp.fc2.bias": [width],
        ]
        try Safetensors.write(
            to: path, metadata: [:],
            shapes.map { name, shape in
                Safetensors.Array(name: name, shape: shape) { [Float](repeating: 0, count: shape.reduce(1, *)) }
            })
        let weights = try EncoderWeights(path: path)
        #expect(weights.heads == heads)
        if heads == nil {
            let error = #expect(throws: Failure.self) { try weights.check() }
            let text = "\(try #require(error))"
            #expect(text.contains("how many attention heads") && text.hasSuffix("say it with --heads N"), "\(text)")
        } else {
            try weights.check()
        }
        let chosen = try EncoderWeights(path: path, heads: 4)
        try chosen.check()
        // What is told once stands in the file that is written.
        #expect(try EncoderWeights(bytes: chosen.encoded(), name: "sent").heads == 4)
        #expect(throws: Failure.self) { try EncoderWeights(path: path, heads: 0) }
    }

    @Test func otherFilesAreRefused() throws {
        let path = folder.file("b.safetensors")
        func refusal(_ arrays: [(String, [Int])]) throws -> String? {
            try Safetensors.write(
                to: path, metadata: [:],
                arrays.map { name, shape in
                    Safetensors.Array(name: name, shape: shape) { [Float](repeating: 0, count: shape.reduce(1, *)) }
                })
            do {
                _ = try EncoderWeights(path: path)
                return nil
            } catch { return "\(error)" }
        }
        let patch = ("patch_embed.proj.weight", [8, 3, 2, 2])
        let positions = ("pos_embed", [1, 5, 8])
        #expect(
            try refusal([])
                == "\(path) holds no vision transformer: 'patch_embed.proj.weight' is missing, or neither [width, 3, patch, patch] nor"
                + " [width, 3, frames, patch, patch]")
        #expect(try refusal([patch, ("blocks.1.x", [1])]) == "\(path) holds no whole vision transformer: of its blocks there are [1]")
        #expect(try refusal([patch, ("blocks.", [1])]) == "\(path) holds no whole vision transformer: of its blocks there are []")
        #expect(try refusal([patch, ("blocks.0.x", [1])]) == "\(path) holds no position embedding 'pos_embed' of a square grid and CLS")
        #expect(try refusal([patch, ("blocks.0.x", [1]), positions]) == nil)
        // Of clips: with tables that are learned, or none.
        let kernel = ("patch_embed.proj.weight", [8, 3, 2, 4, 4])
        #expect(try refusal([kernel, ("blocks.0.x", [1])]) == nil)
        #expect(
            try refusal([kernel, ("blocks.0.x", [1]), ("pos_embed_spatial", [1, 5, 8])])
                == "\(path) holds no position embeddings 'pos_embed_spatial' of a square grid and 'pos_embed_temporal'")
    }
}
