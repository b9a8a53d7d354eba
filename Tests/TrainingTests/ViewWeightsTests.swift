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

/// Encoders and whole models out of what iBOT and SiameseIM save: their own files, and checkpoints of Tandem's.
struct ViewWeightsTests {
    private let backend: any Backend
    private let folder: TemporaryFolder
    private static let fixtures = Programs.package + "/Tests/Fixtures/Weights/"

    init() throws {
        backend = try TestBackend.cpu.open(threads: 1)
        folder = try TemporaryFolder()
    }

    /// Of pictures of three by three patches. iBOT's student has a last layer for CLS and one for patches, its teacher one for both.
    private static let recipes = [AnyRecipe(ibot), AnyRecipe(siameseIM)]

    private static var ibot: IBOT.Settings {
        var settings = IBOT.Settings()
        (settings.sampling.imageSize, settings.model.size) = (24, .free(EncoderSize(patch: 8, width: 32, depth: 2, heads: 4)))
        (settings.model.headWidth, settings.model.bottleneck, settings.model.outputs, settings.model.patchOutputs) = (20, 8, 30, 30)
        settings.model.sharesHead = false
        return settings
    }

    private static var siameseIM: SiameseIM.Settings {
        var settings = SiameseIM.Settings()
        (settings.sampling.imageSize, settings.model.size) = (24, .free(EncoderSize(patch: 8, width: 32, depth: 2, heads: 4)))
        (settings.model.decoderSize, settings.model.projectorDepth) = (.free(DecoderSize(width: 12, depth: 2, heads: 3)), 1)
        return settings
    }

    /// A model with other numbers in each of its arrays.
    private func model(_ settings: AnyRecipe) -> any Recipe {
        let model = settings.makeRecipe(seed: 3, precision: .f32, backend: backend)
        let learned = model.parameters.entries.map { model.parameters.values.elements($0.range) }
        for (index, tensor) in (learned + model.state.filter { !$0.isCount }.map(\.values)).enumerated() {
            let noise = TestNumbers.normal(tensor.count, seed: UInt64(index))
            backend.upload(tensor, from: zip(backend.download(tensor), noise).map { $0 + 0.1 * $1 })
        }
        for part in model.state where part.isCount { backend.upload(part.values, from: [7]) }
        return model
    }

    private func write(_ model: any Recipe) throws -> String {
        let metadata = Checkpoint.Metadata(
            step: 7, samplesSeen: 7, seed: 3, manifestHash: "", pipeline: "{}", encoder: model.encoder.configuration.remarks)
        let path = folder.file("checkpoint.safetensors")
        try Checkpoint.write(to: path, metadata, model.parameters, state: model.state, constants: model.constants)
        return path
    }

    private func features(_ encoder: any EncoderModel, height: Int, width: Int) -> [Float] {
        let arena = Arena(backend: backend)
        let image = arena.tensor([1, 3, height, width])
        backend.upload(image, from: TestNumbers.normal(image.count, seed: 5))
        return backend.download(encoder.features(ofPictures: image, arena: arena))
    }

    /// The same recipe with the teacher's weights where the student's were.
    private func taught(_ model: any Recipe, _ settings: AnyRecipe) throws -> any Recipe {
        let taught = self.model(settings)
        let teacher = try #require(model.teacher).parameters
        for entry in teacher.entries where taught.parameters.entry(entry.name) != nil {
            backend.copy(taught.parameters.parameter(entry.name).value, teacher.parameter(entry.name).value)
        }
        return taught
    }

    /// Expected: what timm makes of them, Tests/Fixtures/Weights/views.py.
    @Test(
        arguments: [
            ("ibot.pth", nil, "ibot.teacher"), ("ibot.pth", "student", "ibot.student"), ("ibot.safetensors", "student", "ibot.student"),
            ("ibot-backbone.pth", nil, "ibot.teacher"), ("siamese-im.pth", nil, "siamese-im.student"),
            ("siamese-im.pth", "teacher", "siamese-im.teacher"), ("siamese-im.safetensors", "teacher", "siamese-im.teacher"),
        ] as [(String, String?, String)])
    func officialFilesGiveTheirFeatures(name: String, entry: String?, expected: String) throws {
        let known = try Safetensors(path: Self.fixtures + "features.safetensors")
        let encoder = try EncoderWeights(path: Self.fixtures + name, entry: entry, heads: 2).makeEncoder(backend: backend)
        let arena = Arena(backend: backend)
        let image = arena.tensor([1, 3, 4, 4])
        backend.upload(image, from: try known.floats("image"))
        let features = backend.download(encoder.features(ofPictures: image, arena: arena))
        #expect(TestNumbers.relativeError(features, try known.floats(expected).doubles) < 1e-5)
    }

    /// Of iBOT the teacher is evaluated, of SiameseIM the encoder that is trained; either can be had.
    @Test(arguments: recipes) func aSentEncoderGivesTheModelsFeatures(settings: AnyRecipe) throws {
        let model = model(settings)
        let path = try write(model)
        let usual = settings.name == "ibot" ? "teacher" : "student"
        for entry in [nil, "student", "teacher"] {
            let weights = try EncoderWeights(bytes: EncoderWeights(path: path, entry: entry).encoded(), name: "sent")
            let encoder = try weights.makeEncoder(backend: backend)
            let expected = (entry ?? usual) == "student" ? model.encoder : try taught(model, settings).encoder
            #expect(encoder.configuration == expected.configuration)
            for (height, width) in [(24, 24), (16, 40)] {
                let own = features(expected as any EncoderModel, height: height, width: width)
                let error = TestNumbers.relativeError(features(encoder, height: height, width: width), own.doubles)
                #expect(error < 1e-5, "\(entry ?? "default") \(height)x\(width)")
            }
        }
    }

    /// All but the optimizer's state and counts of steps goes out under the official names and comes back.
    @Test(arguments: recipes) func theWholeModelComesBack(settings: AnyRecipe) throws {
        let model = model(settings)
        let (path, official) = (try write(model), folder.file("official.safetensors"))
        try EncoderWeights(path: path).writeModel(to: official)
        for file in [path, official] {
            let read = try WeightFile(path: file).makeRecipe(settings, backend: backend)
            #expect(backend.download(read.parameters.values) == backend.download(model.parameters.values))
            for (found, expected) in zip(read.state, model.state) where file == path || !["teacher.steps", "mm_steps"].contains(found.name)
            {
                #expect(backend.download(found.values) == backend.download(expected.values), "\(found.name)")
            }
        }
        for entry in ["student", "teacher"] {
            let (own, again) = (try EncoderWeights(path: path, entry: entry), try EncoderWeights(path: official, entry: entry))
            #expect(try again.encoded() == own.encoded())
        }
        let alone = folder.file("encoder.safetensors")
        try EncoderWeights(path: path).write(to: alone)
        let refusal = #expect(throws: Failure.self) { try WeightFile(path: alone).makeRecipe(settings, backend: backend) }
        #expect("\(try #require(refusal))".contains("which the whole model of its pipeline needs"))
    }

    /// Expected: the files themselves.
    @Test func theWholeModelHasTheNamesOfItsPublication() throws {
        for name in ["ibot", "siamese-im"] {
            try EncoderWeights(path: Self.fixtures + name + ".pth", heads: 2).writeModel(to: folder.file("official.safetensors"))
            let (written, own) = (
                try Safetensors(path: folder.file("official.safetensors")), try WeightFile(path: Self.fixtures + name + ".pth")
            )
            let wrapper = name == "ibot" ? "" : "model."
            for (key, entry) in own.entries where !key.hasPrefix("optimizer.") {
                let isCentre = key.hasPrefix("center")
                let isStudents = name == "ibot" && !key.hasPrefix("teacher.") && !isCentre
                let official = isCentre ? "ibot_loss." + key : isStudents ? "student." + key : String(key.dropFirst(wrapper.count))
                #expect(try written.floats(official) == own.floats(key), "\(official)")
                if !isCentre { #expect(written.entries[official]?.shape == entry.shape, "\(official)") }
            }
            #expect(written.entries.count == own.entries.keys.count { !$0.hasPrefix("optimizer.") })
        }
        // A layer that serves both is saved twice, and centres have the dimensions that they are added to.
        try EncoderWeights(path: Self.fixtures + "ibot.safetensors", heads: 2).writeModel(to: folder.file("official.safetensors"))
        let entries = try Safetensors(path: folder.file("official.safetensors")).entries
        #expect(entries["ibot_loss.center"]?.shape == [1, 6] && entries["ibot_loss.center2"]?.shape == [1, 1, 6])
        #expect(
            entries["teacher.head.last_layer2.weight_v"]?.shape == [6, 3] && entries["student.head.last_layer2.weight_g"]?.shape == [6, 1])
        #expect(entries["student.backbone.masked_embed"]?.shape == [1, 8] && entries["teacher.backbone.masked_embed"] == nil)
    }

    /// A norm of ones and zeros would not be the same as none.
    @Test func halfALastNormIsRefused() throws {
        let own = try WeightFile(path: Self.fixtures + "siamese-im.safetensors")
        let arrays = own.entries.map { key, entry in Safetensors.Array(name: key, shape: entry.shape) { try own.floats(key) } }
        let path = folder.file("half.safetensors")
        for (half, other) in [("weight", "bias"), ("bias", "weight")] {
            let norm = Safetensors.Array(name: "norm." + half, shape: [8]) { [Float](repeating: 1, count: 8) }
            try Safetensors.write(to: path, metadata: [:], arrays + [norm])
            #expect(throws: Failure("\(path) holds no array 'norm.\(other)'")) { try EncoderWeights(path: path, heads: 2).check() }
        }
    }

    @Test func transformersHasNoModelWithoutALastNorm() throws {
        let path = Self.fixtures + "siamese-im.pth"
        let refusal = #expect(throws: Failure.self) {
            try EncoderWeights(path: path, heads: 2).writeTransformers(to: folder.path, decoder: nil)
        }
        #expect("\(try #require(refusal))".contains("without a layer norm after the last block, which transformers' ViTModel always has"))
    }

    /// SiameseIM's table has the rows of the grid first.
    @Test func positionsOfOtherTablesAreNotComputedAnew() throws {
        let weights = try EncoderWeights(path: write(model(AnyRecipe(Self.siameseIM))))
        #expect(
            throws: Failure(
                "the position embedding of \(weights.name) is not MAE's sine-cosine table: it can be interpolated, not computed anew; leave out"
                    + " --positions")
        ) { try weights.requireSineCosinePositions() }
    }
}
