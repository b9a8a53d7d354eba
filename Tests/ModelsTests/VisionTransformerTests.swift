import Autograd
import Compute
import Foundation
import Models
import Recipes
import TestBackends
import TestSupport
import Testing

@Suite struct VisionTransformerTests {
    /// A small model's reference values.
    private static func fixture() throws -> MathsFixture {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try MathsFixture(path: tests.appendingPathComponent("Fixtures/Maths/siammae-small.safetensors").path)
    }

    /// Learned numbers of timm's models of these names, less their classifiers and position embeddings, which are fixed here.
    @Test(arguments: [
        ("ti16", 5_717_416 - 193_000 - 197 * 192), ("s16", 22_050_664 - 385_000 - 197 * 384), ("b16", 86_567_656 - 769_000 - 197 * 768),
        ("l16", 304_326_632 - 1_025_000 - 197 * 1024),
    ]) func presetsHaveTheirSizes(name: String, count: Int) throws {
        let configuration = try #require(EncoderConfiguration(preset: name))
        #expect(configuration.problem == nil)
        #expect(VisionTransformer.standalone(configuration, backend: PlanningBackend()).parameters.count == count)
    }

    @Test func unknownPresetIsNone() {
        #expect(EncoderConfiguration(preset: "h16") == nil)
        #expect(EncoderConfiguration(preset: "s8")?.patchCount == 784)
    }

    @Test func positionsAreColumnFirst() {
        let table = PositionEmbedding(gridSize: 3, width: 8).values
        #expect(Array(table[..<8]) == [Float](repeating: 0, count: 8))
        // Patch (y 1, x 2) is row 1 + 5; frequencies 1 and 1/100.
        let expected = [sin(2), sin(0.02), cos(2), cos(0.02), sin(1), sin(0.01), cos(1), cos(0.01)]
        #expect(TestNumbers.relativeError(Array(table[48..<56]), expected) < 1e-7)
    }

    @Test(arguments: [(3, 5), (6, 4)]) func interpolatedPositionsAgreeWithPyTorch(height: Int, width: Int) throws {
        let file = try Self.fixture().file
        let table = PositionEmbedding(gridSize: 3, width: 8).interpolated(gridHeight: height, gridWidth: width)
        #expect(TestNumbers.relativeError(table.values, try file.floats("positions.\(height)x\(width)").doubles) < 2e-6)
    }

    @Test func ownGridIsNotInterpolated() {
        let table = PositionEmbedding(gridSize: 4, width: 8)
        #expect(table.interpolated(gridHeight: 4, gridWidth: 4).values == table.values)
    }

    @Test(arguments: TestBackend.devices) func featuresAreTheEncodersTokensWithoutCLS(backend: TestBackend) throws {
        let fixture = try Self.fixture()
        let backend = try backend.open()
        let arena = Arena(backend: backend)
        let (encoder, parameters) = VisionTransformer.standalone(fixture.recipe.value.encoder, backend: backend)
        for entry in parameters.entries {
            backend.upload(parameters.parameter(entry.name).value, from: try fixture.file.floats("param." + entry.name))
        }
        let frames = try #require(fixture.file.entries["input.f1"])
        let past = arena.tensor(try fixture.file.floats("input.f1"), frames.shape)
        let features = encoder.features(ofPictures: past, arena: arena)
        let (cells, width) = (features.shape[1], features.shape[2])
        let memory = try fixture.file.floats("out.memory")
        let expected = memory.indices.filter { $0 % ((cells + 1) * width) >= width }.map { Double(memory[$0]) }
        #expect(TestNumbers.relativeError(backend.download(features), expected) < 2e-5)
    }

    @Test(arguments: TestBackend.devices) func featuresOfOtherSizes(backend: TestBackend) throws {
        let fixture = try Self.fixture()
        let arena = Arena(backend: try backend.open())
        let images = arena.tensor([1, 3, 20, 12])
        arena.backend.upload(images, from: TestNumbers.normal(images.count, seed: 3))
        let features = try #require(fixture.makeRecipe(backend: arena.backend) as? SiamMAE).encoder.features(
            ofPictures: images, arena: arena)
        #expect(features.shape == [1, 15, 8])
        #expect(arena.backend.download(features).allSatisfy { $0.isFinite })
    }
}
