import Compute
import Configuration
import Recipes
import TestBackends
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
        _ path: Path, samples: Int, recomputes: Bool
    ) throws -> (recipe: any Recipe, arena: Arena, gradients: [Float]) {
        let backend = try path.backend.open()
        let pipeline = try pipeline(path.precision)
        let recipe = pipeline.makeRecipe(on: backend)
        let arena = Arena(backend: backend)
        RandomSamples(of: pipeline.sampler.value, count: samples).withBlocks {
            let loss = backend.array(of: Double.self, count: 1)
            recipe.accumulateGradients($0, share: 1, recomputes: recomputes, addingTo: loss, arena: arena)
        }
        return (recipe, arena, backend.download(recipe.parameters.gradients))
    }

    @Test(arguments: Path.devices, [false, true]) func forecastIsWhatAStepTakes(path: Path, recomputes: Bool) throws {
        let (recipe, arena, _) = try step(path, samples: 7, recomputes: recomputes)
        let forecast = StepMemory(recipe, samples: 7, recomputes: recomputes)
        #expect(forecast.activations == arena.touchedBytes)
    }

    @Test(arguments: Path.devices) func recomputingGivesTheSameBitsInLessMemory(path: Path) throws {
        let (_, kept, gradients) = try step(path, samples: 8, recomputes: false)
        let (_, recomputed, again) = try step(path, samples: 8, recomputes: true)
        #expect(again.map(\.bitPattern) == gradients.map(\.bitPattern))
        #expect(Double(recomputed.touchedBytes) < 0.7 * Double(kept.touchedBytes))
    }

    @Test func theLargestMicroBatchThatFits() throws {
        let recipe = try pipeline().makeRecipe(on: PlanningBackend())
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
