import Compute
import Foundation
import Models
import Recipes
import TestBackends
import TestSupport
import Testing
import Training
import WeightFiles

/// timm loads what is exported, strictly, and computes the same features; and the other way round.
@Suite(.serialized, .enabled(if: Peers.python != nil, "\(Peers.absence)"), .timeLimit(.minutes(30)))
struct TimmTests {
    private let backend: any Backend
    private let folder: TemporaryFolder
    private let script = Programs.package + "/Tests/Fixtures/Weights/peer.py"

    init() throws {
        backend = try TestBackend.cpu.open()
        folder = try TemporaryFolder()
    }

    /// The largest difference of timm's features and ours, relative to the largest feature, on a random image of `size` pixels.
    private func difference(_ weights: EncoderWeights, _ exported: String, _ call: String, size: Int) throws -> Double {
        let image = TestNumbers.normal(3 * size * size, seed: 9)
        let input = Safetensors.Array(name: "image", shape: [1, 3, size, size]) { image }
        try Safetensors.write(to: folder.file("image.safetensors"), metadata: [:], [input])
        try Peers.run(script, ["features", exported, call, folder.file("image.safetensors"), folder.file("features.safetensors")])
        let expected = try Safetensors(path: folder.file("features.safetensors")).floats("features")

        let encoder = try weights.makeEncoder(backend: backend)
        let arena = Arena(backend: backend)
        let tensor = arena.tensor([1, 3, size, size])
        backend.upload(tensor, from: image)
        let ours = backend.download(encoder.features(ofPictures: tensor, arena: arena))
        #expect(ours.count == expected.count)
        let absolute = zip(ours, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(absolute < 1e-4, "\(call)")
        return TestNumbers.relativeError(ours, expected.doubles)
    }

    /// A checkpoint of a model whose biases and norms are random, others in its teacher.
    private func checkpoint(_ settings: some RecipeSettings) throws -> String {
        let model = AnyRecipe(settings).makeRecipe(seed: 4, precision: .f32, backend: backend)
        // Zero biases and unit norms would hide a mistake in their names.
        let flat = model.parameters.entries.filter { $0.shape.count == 1 }.map { model.parameters.values.elements($0.range) }
        let state = model.state.filter { !$0.isCount && $0.values.shape.count == 1 }.map(\.values)
        for (index, tensor) in (flat + state).enumerated() {
            let noise = TestNumbers.normal(tensor.count, seed: UInt64(index))
            backend.upload(tensor, from: zip(backend.download(tensor), noise).map { $0 + 0.1 * $1 })
        }
        let metadata = Checkpoint.Metadata(
            step: 1, samplesSeen: 1, seed: 4, manifestHash: "", pipeline: "{}", encoder: model.encoder.configuration.remarks)
        let path = folder.file("checkpoint.safetensors")
        try Checkpoint.write(to: path, metadata, model.parameters, state: model.state, constants: model.constants)
        return path
    }

    @Test(arguments: [
        ("ti16", "vit_tiny_patch16_224"), ("s16", "vit_small_patch16_224"), ("s8", "vit_small_patch8_224"), ("b16", "vit_base_patch16_224"),
        ("l16", "vit_large_patch16_224"),
    ])
    func timmLoadsTheExport(preset: String, name: String) throws {
        var settings = SiamMAE.Settings()
        settings.model.size = .preset(preset)
        settings.model.decoderSize = .free(DecoderSize(width: 16, depth: 1, heads: 2))
        let weights = try EncoderWeights(path: checkpoint(settings))
        try weights.write(to: folder.file("encoder.safetensors"))
        let call = "timm.create_model('\(name)', num_classes=0)"
        let relative = try difference(weights, folder.file("encoder.safetensors"), call, size: 224)
        print("timm \(name): relative difference \(relative)")
    }

    @Test(arguments: ["teacher", "student"]) func timmLoadsIBOTs(entry: String) throws {
        var settings = IBOT.Settings()
        (settings.model.headWidth, settings.model.bottleneck, settings.model.outputs, settings.model.patchOutputs) = (20, 8, 30, 30)
        let weights = try EncoderWeights(path: checkpoint(settings), entry: entry)
        try weights.write(to: folder.file("encoder.safetensors"))
        let call = "timm.create_model('vit_small_patch16_224', num_classes=0)"
        let relative = try difference(weights, folder.file("encoder.safetensors"), call, size: 224)
        print("timm, iBOT's \(entry): relative difference \(relative)")
    }

    /// No other keyword than this one makes timm leave out the last norm.
    @Test(arguments: ["teacher", "student"]) func timmLoadsSiameseIMs(entry: String) throws {
        var settings = SiameseIM.Settings()
        settings.model.size = .preset("s16")
        settings.model.decoderSize = .free(DecoderSize(width: 16, depth: 1, heads: 2))
        let weights = try EncoderWeights(path: checkpoint(settings), entry: entry)
        try weights.write(to: folder.file("encoder.safetensors"))
        let call = "timm.create_model('vit_small_patch16_224', num_classes=0, final_norm=False)"
        let relative = try difference(weights, folder.file("encoder.safetensors"), call, size: 224)
        print("timm, SiameseIM's \(entry): relative difference \(relative)")
    }

    /// The heads of the second, 16 of 80, are told by its size alone.
    @Test(arguments: ["vit_tiny_patch16_224", "vit_huge_patch14_224"]) func weightsOfTimmWithLearnedPositionsAreRead(name: String) throws {
        let call = "timm.create_model('\(name)', num_classes=0, depth=2)"
        try Peers.run(script, ["random", call, folder.file("timm.pth")])
        let weights = try EncoderWeights(path: folder.file("timm.pth"))
        #expect(weights.prefix == "state_dict.")
        try weights.write(to: folder.file("imported.safetensors"))
        let relative = try difference(weights, folder.file("imported.safetensors"), call, size: 224)
        print("timm's own weights: relative difference \(relative)")
    }
}
