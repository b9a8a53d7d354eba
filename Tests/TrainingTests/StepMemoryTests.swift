import Compute
import ComputeCPU
import Models
import TestSupport
import Testing
import Training

@Suite struct StepMemoryTests {
    private static let configuration = SiamMAE.Configuration(
        encoder: .init(imageSize: 64, patchSize: 8, width: 96, depth: 4, heads: 3), decoder: .init(width: 64, depth: 2, heads: 2))

    /// A step of `pairs` random pairs; the arena that it went through, and the gradients.
    private func step(_ precision: Precision, pairs: Int, recomputes: Bool) throws -> (model: SiamMAE, arena: Arena, gradients: [Float]) {
        let backend = try CPUBackend(threads: 2)
        let model = SiamMAE(Self.configuration, seed: 3, precision: precision, backend: backend)
        let arena = Arena(backend: backend)
        let size = 2 * 64 * 64 * 3
        let frames = (0..<pairs * size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        let mask = (0..<64).map { $0 % 21 == 0 ? UInt8(0) : 1 }
        frames.withUnsafeBufferPointer { frames in
            mask.withUnsafeBufferPointer { mask in
                let pairs = (0..<pairs).map { FramePair(frames: frames.baseAddress! + $0 * size, mask: mask.baseAddress!) }
                _ = model.accumulateGradients(pairs, recomputes: recomputes, arena: arena)
            }
        }
        return (model, arena, Array(UnsafeBufferPointer(start: model.parameters.gradients, count: model.parameters.count)))
    }

    @Test(arguments: Precision.allCases, [false, true]) func forecastIsWhatAStepTakes(precision: Precision, recomputes: Bool) throws {
        let (model, arena, _) = try step(precision, pairs: 7, recomputes: recomputes)
        let forecast = StepMemory(model, pairs: 7, visible: (nil, 4), recomputes: recomputes)
        #expect(forecast.activations == arena.touchedBytes)
    }

    @Test(arguments: Precision.allCases) func recomputingGivesTheSameBitsInLessMemory(precision: Precision) throws {
        let (_, kept, gradients) = try step(precision, pairs: 8, recomputes: false)
        let (_, recomputed, again) = try step(precision, pairs: 8, recomputes: true)
        #expect(again.map(\.bitPattern) == gradients.map(\.bitPattern))
        #expect(Double(recomputed.touchedBytes) < 0.7 * Double(kept.touchedBytes))
    }

    @Test func theLargestMicroBatchThatFits() throws {
        let model = SiamMAE(Self.configuration, seed: 3, backend: try CPUBackend(threads: 1))
        func total(_ pairs: Int) -> Int { StepMemory(model, pairs: pairs, visible: (nil, 4), recomputes: false).total }
        func largest(fittingInto bytes: Int) -> Int? {
            StepMemory.largestMicroBatch(model, below: 24, of: 24, visible: (nil, 4), recomputes: false, fittingInto: bytes)
        }
        #expect(largest(fittingInto: total(24)) == 12)
        #expect(largest(fittingInto: total(12) - 1) == 8)
        #expect(largest(fittingInto: total(1)) == 1)
        #expect(largest(fittingInto: total(1) - 1) == nil)
    }
}
