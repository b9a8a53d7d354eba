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

    /// Whoever is told that a gradient is complete may give it away at once.
    @Test(arguments: RecipeCase.all + RecipeCase.severalFrames + RecipeCase.views, [false, true])
    func aGradientStaysAsItIsOnceItIsComplete(model: RecipeCase, recomputes: Bool) throws {
        let backend = try TestBackend.cpu.open()
        let recipe = model.recipe.makeRecipe(seed: 4, precision: .f32, backend: backend)
        let (parameters, sums) = (recipe.parameters, StepSums(of: recipe))
        recipe.beginStep(RunPosition(step: 0, totalSteps: 10, progress: 0, epochs: 2, seed: 4))
        var (complete, order) = ([String: [Float]](), [String]())
        RandomSamples(of: model.recipe.value.sampler, count: 2).withBlocks { samples in
            recipe.accumulateGradients(
                Array(samples), recomputes: recomputes, addingTo: sums.loss, arena: Arena(backend: backend),
                completing: { parameter in
                    #expect(complete[parameter.name] == nil)
                    complete[parameter.name] = backend.download(parameter.gradient)
                    order.append(parameter.name)
                })
        }
        for entry in parameters.entries {
            let gradient = backend.download(parameters.gradients.elements(entry.range))
            if let complete = complete[entry.name] {
                #expect(complete == gradient, "\(entry.name)")
            } else {
                #expect(gradient.allSatisfy { $0 == 0 }, "\(entry.name)")
            }
        }
        #expect(complete.values.count { $0.contains { $0 != 0 } } > parameters.entries.count / 2)
        let firsts = ["blocks.1.", "blocks.0."].map { name in order.firstIndex { $0.contains(name) && !$0.contains("decoder") } }
        #expect(try #require(firsts[0]) < #require(firsts[1]), "the last layers come first")
    }
}
