import Compute
import Models
import Recipes
import TestBackends
import TestSupport
import Testing
import Training

/// Whole steps of training: what they may depend on, and what not.
@Suite struct StepTests {
    /// Enough tokens, 65 of each past frame, for several tiles, tasks and threads.
    private static let recipe: AnyRecipe = {
        var settings = SiamMAE.Settings()
        settings.sampling.imageSize = 32
        settings.model.size = .free(EncoderSize(patch: 4, width: 48, depth: 2, heads: 3))
        settings.model.decoderSize = .free(DecoderSize(width: 32, depth: 1, heads: 2))
        return AnyRecipe(settings)
    }()
    private static let samples = 4

    /// What a step leaves behind.
    private struct Outcome {
        var loss = 0.0
        var gradients: [Float] = []
        var values: [Float] = []
        var firstMoments: [Float] = []
        var secondMoments: [Float] = []
    }

    private func step(_ precision: ModelPrecision, microBatch: Int = samples, threads: Int = 2, steps: Int = 1) throws -> Outcome {
        let backend = try TestBackend.cpu.open(threads: threads)
        let recipe = Self.recipe.makeRecipe(seed: 4, precision: precision, backend: backend)
        let (arena, parameters, sums) = (Arena(backend: backend), recipe.parameters, StepSums(of: recipe.parameters))
        var outcome = Outcome()
        RandomSamples(of: Self.recipe.value.sampler, count: Self.samples).withBlocks { samples in
            for step in 1...steps {
                sums.clear()
                for first in stride(from: 0, to: Self.samples, by: microBatch) {
                    let part = Array(samples[first..<first + microBatch])
                    recipe.accumulateGradients(
                        part, share: Float(microBatch) / Float(Self.samples), addingTo: sums.loss, arena: arena)
                }
                outcome.loss = sums.read().loss
                AdamW().update(parameters, learningRate: 1e-3, step: step)
            }
        }
        outcome.gradients = backend.download(parameters.gradients)
        outcome.values = backend.download(parameters.values)
        outcome.firstMoments = backend.download(parameters.firstMoments)
        outcome.secondMoments = backend.download(parameters.secondMoments)
        return outcome
    }

    /// Relative to the largest: in f32 1e-5. In bf16 1e-3, for sums in another order may here and there round to the other neighbour.
    @Test(arguments: [1, 2], ModelPrecision.allCases)
    func microBatchesGiveTheGradientsAndTheUpdateOfTheBatch(microBatch: Int, precision: ModelPrecision) throws {
        let whole = try step(precision), parts = try step(precision, microBatch: microBatch)
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
    @Test(arguments: [2, 1, 2, 3], ModelPrecision.allCases)
    func everyNumberOfThreadsAndEveryRunGivesTheSameBits(threads: Int, precision: ModelPrecision) throws {
        let first = try step(precision, threads: 1, steps: 2), again = try step(precision, threads: threads, steps: 2)
        #expect(again.loss == first.loss)
        #expect(again.gradients == first.gradients)
        #expect(again.values == first.values)
        #expect(again.firstMoments == first.firstMoments)
        #expect(again.secondMoments == first.secondMoments)
    }
}
