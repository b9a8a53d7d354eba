import Autograd
import Compute
import Models
import TestBackends
import TestSupport
import Testing
import Training

/// Whole steps of training: what they may depend on, and what not.
@Suite struct StepTests {
    /// Enough tokens, 65 of each past frame, for several tiles, tasks and threads.
    private static let configuration = SiamMAE.Configuration(
        encoder: .init(imageSize: 32, patchSize: 4, width: 48, depth: 2, heads: 3), decoder: .init(width: 32, depth: 1, heads: 2))
    private static let pairs = 4

    /// What a step leaves behind.
    private struct Outcome {
        var loss = 0.0
        var gradients: [Float] = []
        var values: [Float] = []
        var firstMoments: [Float] = []
        var secondMoments: [Float] = []
    }

    private func step(_ path: Path, microBatch: Int = pairs, threads: Int = 2, steps: Int = 1) throws -> Outcome {
        let (backend, precision) = (try path.backend.open(threads: threads), path.precision)
        let model = SiamMAE(Self.configuration, seed: 4, precision: precision, backend: backend)
        let (arena, parameters) = (Arena(backend: backend), model.parameters)
        let sums = StepSums(of: parameters)
        var outcome = Outcome()
        for step in 1...steps {
            sums.clear()
            for first in stride(from: 0, to: Self.pairs, by: microBatch) {
                let share = Float(microBatch) / Float(Self.pairs)
                usePairs(first..<first + microBatch) {
                    model.accumulateGradients($0, share: share, addingTo: sums.loss, arena: arena)
                }
            }
            outcome.loss = sums.read().loss
            AdamW().update(parameters, learningRate: 1e-3, step: step)
        }
        outcome.gradients = backend.download(parameters.gradients)
        outcome.values = backend.download(parameters.values)
        outcome.firstMoments = backend.download(parameters.firstMoments)
        outcome.secondMoments = backend.download(parameters.secondMoments)
        return outcome
    }

    /// Calls `body` with some of the pairs, whose frames are noise, and of which three patches are visible.
    private func usePairs<Result>(_ range: Range<Int>, _ body: ([FramePair]) -> Result) -> Result {
        let (pixels, patches) = (2 * 32 * 32 * 3, 64)
        let frames = TestNumbers.normal(Self.pairs * pixels, seed: 1).map { UInt8(max(0, min(255, 128 + 50 * $0))) }
        let masks = (0..<Self.pairs * patches).map { ($0 % patches * 5 + $0 / patches) % patches < 3 ? UInt8(0) : 1 }
        return frames.withUnsafeBufferPointer { frames in
            masks.withUnsafeBufferPointer { masks in
                body(range.map { FramePair(frames: frames.baseAddress! + $0 * pixels, mask: masks.baseAddress! + $0 * patches) })
            }
        }
    }

    /// Relative to the largest: in f32 1e-5. In bf16 1e-3, for sums in another order may here and there round to the other neighbour.
    @Test(arguments: [1, 2], Path.devices)
    func microBatchesGiveTheGradientsAndTheUpdateOfTheBatch(microBatch: Int, path: Path) throws {
        let precision = path.precision
        let whole = try step(path), parts = try step(path, microBatch: microBatch)
        let tolerance = precision == .f32 ? 1e-5 : 1e-3
        #expect(abs(parts.loss / whole.loss - 1) < tolerance)
        #expect(TestNumbers.relativeError(parts.gradients, whole.gradients.doubles) < tolerance)
        #expect(TestNumbers.relativeError(parts.firstMoments, whole.firstMoments.doubles) < tolerance)
        #expect(TestNumbers.relativeError(parts.secondMoments, whole.secondMoments.doubles) < tolerance)
        // AdamW's first step has the size of the rate for a gradient of any size, rounding noise included: that is left out.
        let largest = whole.gradients.map { abs($0) }.max()!
        let noise = largest * (precision == .f32 ? 1e-5 : 1e-2)
        let compared = whole.gradients.indices.filter { abs(whole.gradients[$0]) > noise }
        #expect(compared.count > whole.gradients.count / 4, "\(compared.count) of \(whole.gradients.count) are no noise")
        #expect(TestNumbers.relativeError(compared.map { parts.values[$0] }, compared.map { Double(whole.values[$0]) }) < 1e-5)
    }

    /// Two steps, bit for bit: loss, gradients, parameters and moments.
    @Test(arguments: [2, 1, 2, 3], Precision.allCases)
    func everyNumberOfThreadsAndEveryRunGivesTheSameBits(threads: Int, precision: Precision) throws {
        let path = Path(.cpu, precision)
        let first = try step(path, threads: 1, steps: 2), again = try step(path, threads: threads, steps: 2)
        #expect(again.loss == first.loss)
        #expect(again.gradients == first.gradients)
        #expect(again.values == first.values)
        #expect(again.firstMoments == first.firstMoments)
        #expect(again.secondMoments == first.secondMoments)
    }
}
