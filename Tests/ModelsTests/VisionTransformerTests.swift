import Autograd
import Compute
import ComputeCPU
import Foundation
import Models
import TestSupport
import Testing
import Training

@Suite struct VisionTransformerTests {
    /// Learned numbers of timm's models of these names, less their classifiers and position embeddings, which are fixed here.
    @Test(arguments: [
        ("ti16", 5_717_416 - 193_000 - 197 * 192), ("s16", 22_050_664 - 385_000 - 197 * 384), ("b16", 86_567_656 - 769_000 - 197 * 768),
        ("l16", 304_326_632 - 1_025_000 - 197 * 1024),
    ]) func presetsHaveTheirSizes(name: String, count: Int) throws {
        let configuration = try #require(EncoderConfiguration(preset: name))
        #expect(configuration.problem == nil)
        #expect(VisionTransformer.alone(configuration, backend: try CPUBackend(threads: 1)).parameters.count == count)
    }

    @Test func unknownPresetIsNone() {
        #expect(EncoderConfiguration(preset: "h14") == nil)
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
        let file = try Safetensors(path: GoldenTests.files[0])
        let table = PositionEmbedding(gridSize: 3, width: 8).interpolated(gridHeight: height, gridWidth: width)
        #expect(TestNumbers.relativeError(table.values, try file.floats("positions.\(height)x\(width)").doubles) < 2e-6)
    }

    @Test func ownGridIsNotInterpolated() {
        let table = PositionEmbedding(gridSize: 4, width: 8)
        #expect(table.interpolated(gridHeight: 4, gridWidth: 4).values == table.values)
    }

    @Test func featuresAreTheEncodersTokensWithoutCLS() throws {
        let golden = try Golden(GoldenTests.files[0])
        let (encoder, parameters) = VisionTransformer.alone(golden.model.configuration.encoder, backend: golden.arena.backend)
        for entry in parameters.entries {
            let trained = golden.model.parameters.parameter(entry.name).value
            golden.arena.backend.upload(parameters.parameter(entry.name).value, from: trained.pointer)
        }
        let shape = golden.frames.shape
        let past = golden.frames.rows(0..<shape[0] / 2 * shape[1] * shape[2]).reshaped([shape[0] / 2] + shape[1...])
        let features = encoder.features(past, arena: golden.arena)
        let (cells, width) = (features.shape[1], features.shape[2])
        let memory = try golden.file.floats("out.memory").chunked((cells + 1) * width).flatMap { $0.dropFirst(width) }
        #expect(TestNumbers.relativeError(golden.numbers(features), memory.doubles) < GoldenTests.outputTolerance)
    }

    @Test func featuresOfOtherSizes() throws {
        let golden = try Golden(GoldenTests.files[0])
        let images = golden.arena.tensor([1, 3, 20, 12])
        golden.arena.backend.upload(images, from: TestNumbers.normal(images.count, seed: 3))
        let features = golden.model.encoder.features(images, arena: golden.arena)
        #expect(features.shape == [1, 15, 8])
        #expect(golden.numbers(features).allSatisfy { $0.isFinite })
    }
}
