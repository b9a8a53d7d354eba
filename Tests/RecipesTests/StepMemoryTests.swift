import Compute
import ComputeCPU
import Configuration
import Recipes
import Testing

@Suite struct StepMemoryTests {
    private func pipeline(_ precision: Precision = .f32) throws -> Pipeline {
        try Pipeline.parse(
            """
            {
              seed: 3, sampling: { imageSize: 64 }, mask: { ratio: 0.9375 }, train: { precision: "\(precision)" },
              model: { size: { patch: 8, width: 96, depth: 4, heads: 3 }, decoderSize: { width: 64, depth: 2, heads: 2 } },
            }
            """, source: "the test")
    }

    /// A step of random samples; the arena that it went through, and the gradients.
    private func step(
        _ precision: Precision, samples: Int, recomputes: Bool
    ) throws -> (recipe: any Recipe, arena: Arena, gradients: [Float]) {
        let backend = try CPUBackend(threads: 2)
        let pipeline = try pipeline(precision)
        let recipe = pipeline.makeRecipe(on: backend)
        let arena = Arena(backend: backend)
        RandomSamples(of: pipeline.sampler.value, count: samples).withBlocks {
            _ = recipe.accumulateGradients($0, share: 1, recomputes: recomputes, arena: arena)
        }
        return (recipe, arena, Array(UnsafeBufferPointer(start: recipe.parameters.gradients, count: recipe.parameters.count)))
    }

    @Test(arguments: Precision.allCases, [false, true]) func forecastIsWhatAStepTakes(precision: Precision, recomputes: Bool) throws {
        let (recipe, arena, _) = try step(precision, samples: 7, recomputes: recomputes)
        let forecast = StepMemory(recipe, samples: 7, recomputes: recomputes)
        #expect(forecast.activations == arena.touchedBytes)
    }

    @Test(arguments: Precision.allCases) func recomputingGivesTheSameBitsInLessMemory(precision: Precision) throws {
        let (_, kept, gradients) = try step(precision, samples: 8, recomputes: false)
        let (_, recomputed, again) = try step(precision, samples: 8, recomputes: true)
        #expect(again.map(\.bitPattern) == gradients.map(\.bitPattern))
        #expect(Double(recomputed.touchedBytes) < 0.7 * Double(kept.touchedBytes))
    }

    @Test func theLargestMicroBatchThatFits() throws {
        let recipe = try pipeline().makeRecipe(on: try CPUBackend(threads: 1))
        func total(_ samples: Int) -> Int { StepMemory(recipe, samples: samples, recomputes: false).total }
        func largest(fittingInto bytes: Int) -> Int? {
            StepMemory.largestMicroBatch(recipe, below: 24, of: 24, recomputes: false, fittingInto: bytes)
        }
        #expect(largest(fittingInto: total(24)) == 12)
        #expect(largest(fittingInto: total(12) - 1) == 8)
        #expect(largest(fittingInto: total(1)) == 1)
        #expect(largest(fittingInto: total(1) - 1) == nil)
    }
}
