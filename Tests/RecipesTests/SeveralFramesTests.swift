import Autograd
import Compute
import Configuration
import Models
import Recipes
import Sampling
import TestBackends
import TestSupport
import Testing

/// SiamMAE with several future frames, or past ones.
@Suite struct SeveralFramesTests {
    /// Samples, each of whose frames is a number that its pixels follow from; of future frames two patches are visible.
    private func batch(_ recipe: RecipeCase, frames: [[Int]], visible: [[Int32]], arena: Arena) -> SampleBatch {
        SampleBatch(samples: Array(frames.indices), of: recipe.recipe.value.sampler, arena: arena) { _, images in
            let pixels = frames.flatMap { $0.flatMap { TestNumbers.normal(3 * 24 * 24, seed: UInt64($0)) } }
            arena.backend.upload(images, from: pixels)
        } visible: { _ in
            visible
        }
    }

    /// What a model says of a batch: the predictions, the loss and the gradients.
    private func results(
        _ recipe: RecipeCase, frames: [[Int]], visible: [[Int32]]
    ) throws -> (prediction: [Float], loss: Double, gradients: [Float]) {
        let backend = try TestBackend.cpu.open()
        let (model, arena, sum) = (recipe.make(on: backend), Arena(backend: backend), backend.array(of: Double.self, count: 1))
        let batch = batch(recipe, frames: frames, visible: visible, arena: arena)
        let prediction = model.outputs(of: batch, on: Tape(arena: arena, isRecording: false)).last!.value
        let numbers = arena.numbers(of: prediction)
        model.accumulateGradients(batch, addingTo: sum, arena: arena)
        return (numbers, backend.download(sum)[0], backend.download(model.parameters.gradients))
    }

    /// Predictions, loss and gradients of two samples with three futures are those of six pairs, each with its own copy of the past frame.
    @Test(arguments: SiamMAE.DecoderKind.allCases) func futuresArePairsWithOnePast(decoder: SiamMAE.DecoderKind) throws {
        let several = try results(
            .siamMAE(.siamese, decoder, futures: 3), frames: [[1, 2, 3, 4], [5, 6, 7, 8]],
            visible: [[0, 4, 9 + 8, 9 + 2, 18 + 3, 18 + 4], [5, 1, 9 + 0, 9 + 1, 18 + 7, 18 + 8]])
        let pairs = try results(
            .siamMAE(.siamese, decoder), frames: [[1, 2], [1, 3], [1, 4], [5, 6], [5, 7], [5, 8]],
            visible: [[0, 4], [8, 2], [3, 4], [5, 1], [0, 1], [7, 8]])
        #expect(several.prediction.count == 6 * 9 * 192)
        #expect(TestNumbers.relativeError(several.prediction, pairs.prediction.doubles) < 1e-6)
        #expect(abs(several.loss / pairs.loss - 1) < 1e-6)
        #expect(TestNumbers.relativeError(several.gradients, pairs.gradients.doubles) < 1e-5)
    }

    /// Nothing tells past frames apart: their order says nothing, but what they show does.
    @Test(arguments: SiamMAE.DecoderKind.allCases) func pastsAreASet(decoder: SiamMAE.DecoderKind) throws {
        func prediction(_ frames: [Int]) throws -> [Float] {
            try results(.siamMAE(.siamese, decoder, pasts: 3), frames: [frames], visible: [[0, 4]]).prediction
        }
        let first = try prediction([1, 2, 3, 9])
        #expect(TestNumbers.relativeError(try prediction([3, 1, 2, 9]), first.doubles) < 1e-5)
        #expect(TestNumbers.relativeError(try prediction([1, 2, 4, 9]), first.doubles) > 1e-3)
    }

    /// A frame that cross-attention sees twice is a frame that it sees once.
    @Test(arguments: [SiamMAE.DecoderKind.crossSelf, .cross]) func equalPastsAreOne(decoder: SiamMAE.DecoderKind) throws {
        let visible: [[Int32]] = [[0, 4], [8, 2]]
        let twice = try results(.siamMAE(.siamese, decoder, pasts: 2), frames: [[1, 1, 2], [3, 3, 4]], visible: visible)
        let once = try results(.siamMAE(.siamese, decoder), frames: [[1, 2], [3, 4]], visible: visible)
        #expect(TestNumbers.relativeError(twice.prediction, once.prediction.doubles) < 1e-5)
        #expect(abs(twice.loss / once.loss - 1) < 1e-6)
        #expect(TestNumbers.relativeError(twice.gradients, once.gradients.doubles) < 1e-4)
    }

    /// The same parameters, whatever the number of frames.
    @Test(arguments: RecipeCase.severalFrames) func parametersAreThoseOfPairs(recipe: RecipeCase) throws {
        var settings = try #require(recipe.recipe.value as? SiamMAE.Settings)
        #expect(settings.problem == nil)
        (settings.sampling.pasts, settings.sampling.futures) = (1, 1)
        #expect(recipe.recipe.parameterCounts == AnyRecipe(settings).parameterCounts)
    }

    @Test(arguments: RecipeCase.severalFrames, [false, true]) func forecastIsWhatAStepTakes(recipe: RecipeCase, recomputes: Bool) throws {
        let backend = try TestBackend.cpu.open()
        let (model, arena) = (recipe.make(on: backend), Arena(backend: backend))
        RandomSamples(of: recipe.recipe.value.sampler, count: 5).withBlocks {
            model.accumulateGradients($0, recomputes: recomputes, addingTo: backend.array(of: Double.self, count: 1), arena: arena)
        }
        #expect(arena.touchedBytes == StepForecast(model, samples: 5, recomputes: recomputes).activations)
    }

    /// GMAC that a future frame adds to a sample's forward pass, counted by hand for ViT-S/16 with MAE's decoder: 10 tokens in the encoder and
    /// 197 in the decoder, and nothing for the past frame, whose keys and values serve all.
    @Test func aFutureMoreAddsNoPast() throws {
        let work = try (1...3).map { futures in
            try Pipeline.parse("{}", source: "the test", overrides: ["sampling.futures=\(futures)"]).recipe.operationsPerSample / 2e9
        }
        // Of the patches' pixels nobody asks for the gradient.
        let expected = 3 * 6.715 - 9 * 768 * 384 / 1e9
        #expect(abs((work[1] - work[0]) / expected - 1) < 1e-3 && abs((work[2] - work[1]) / expected - 1) < 1e-3, "\(work)")
    }

    /// A row for each future frame: the past ones, what is seen of it, what is predicted, the frame.
    @Test(arguments: RecipeCase.severalFrames) func picturesShowAllFrames(recipe: RecipeCase) throws {
        let settings = try #require(recipe.recipe.value as? SiamMAE.Settings)
        let (pasts, futures) = (settings.sampling.pasts, settings.sampling.futures)
        let backend = try TestBackend.cpu.open()
        let (model, arena) = (recipe.make(on: backend), Arena(backend: backend))
        RandomSamples(of: settings.sampler, count: 2).withBlocks { samples in
            let rows = model.pictures(of: samples, arena: arena)
            #expect(rows.count == 2 * futures && rows.allSatisfy { $0.count == pasts + 3 })
            for (number, row) in rows.enumerated() {
                let (sample, future) = (samples[number / futures], number % futures)
                func pixels(_ frame: Int) -> [UInt8] { Array(sample.bytes("frames")![frame * 1728..<(frame + 1) * 1728]) }
                #expect(row.last!.pixels == pixels(pasts + future))
                if settings.mask.frames == .asymmetric { for past in 0..<pasts { #expect(row[past].pixels == pixels(past)) } }
                // What is visible of the frame is seen and drawn as it is, and the rest is neither.
                for patch in 0..<9 {
                    let place = patch / 3 * 8 * 24 + patch % 3 * 8
                    let isVisible = sample.bytes("mask")![future * 9 + patch] == 0
                    func level(_ column: Int) -> [UInt8] { Array(row[column].pixels[place * 3..<place * 3 + 24]) }
                    #expect((level(pasts) == level(pasts + 2)) == isVisible && (level(pasts + 1) == level(pasts + 2)) == isVisible)
                }
            }
        }
    }
}
