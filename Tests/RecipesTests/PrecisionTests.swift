import Autograd
import Compute
import Foundation
import Recipes
import TestBackends
import TestSupport
import Testing
import Training

/// Training in bf16 beside training in f32, through either library of products.
@Suite struct PrecisionTests {
    /// A committed fixture's model and samples, and larger ones where they are at hand.
    static let files: [String] = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let shared = Shared.folder.map { folder in ["tiny", "patch4"].map { "\(folder)/golden/maths/siammae-\($0).safetensors" } }
        return [tests.appendingPathComponent("Fixtures/Maths/siammae-small.safetensors").path] + (shared ?? [])
    }()

    /// The losses of ten steps, and the first gradients by name.
    private func train(
        _ path: String, _ precision: ModelPrecision, on device: TestBackend = .cpu
    ) throws -> (losses: [Double], gradients: [String: [Double]]) {
        let (fixture, backend) = (try MathsFixture(path: path), try device.open())
        let recipe = try fixture.makeRecipe(precision: precision, backend: backend)
        let (parameters, arena, sums) = (recipe.parameters, Arena(backend: backend), StepSums(of: recipe.parameters))
        let samples = try fixture.samples(arena)
        var (losses, gradients) = ([Double](), [String: [Double]]())
        for step in 1...10 {
            sums.clear()
            recipe.accumulateGradients(samples, addingTo: sums.loss, arena: arena)
            losses.append(sums.read().loss)
            if step == 1 {
                for entry in parameters.entries {
                    gradients[entry.name] = backend.download(parameters.gradients.elements(entry.range)).doubles
                }
            }
            AdamW().update(parameters, learningRate: 1e-3, step: step)
        }
        return (losses, gradients)
    }

    private func norm(_ numbers: [Double]) -> Double { numbers.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    @Test(arguments: files, Path.all.filter { $0.model != .f32 }) func tenStepsInBF16StayBesideF32(path: String, way: Path) throws {
        let exact = try train(path, .f32), rounded = try train(path, way.model, on: way.backend)
        for (step, losses) in zip(rounded.losses, exact.losses).enumerated() {
            #expect(abs(losses.0 / losses.1 - 1) < 1e-2, "loss of step \(step + 1)")
        }
        #expect(exact.losses != rounded.losses)
        // A key's bias, whose gradient is rounding noise, is part of its projection's bias, and measured by the whole.
        for (name, expected) in exact.gradients {
            let difference = zip(rounded.gradients[name]!, expected).map { $0 - $1 }
            #expect(norm(difference) <= 3e-2 * norm(expected), "gradient of \(name)")
        }
    }

    @Test(arguments: files, [TestBackend.cpuWithoutOneDNN, .naive]) func allBackendsTrainAlike(path: String, other: TestBackend) throws {
        let first = try train(path, .f32), second = try train(path, .f32, on: other)
        for (step, losses) in zip(first.losses, second.losses).enumerated() {
            #expect(abs(losses.0 / losses.1 - 1) < 5e-6, "loss of step \(step + 1)")
        }
    }
}
