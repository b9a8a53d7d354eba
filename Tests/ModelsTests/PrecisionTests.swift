import Autograd
import Compute
import Foundation
import Models
import TestBackends
import TestSupport
import Testing
import Training
import Verification

/// Training in bf16 beside training in f32, and training on every backend beside the CPU.
@Suite struct PrecisionTests {
    /// A committed fixture's model and frames, and larger ones where they are at hand.
    static let files: [String] = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let shared = Shared.folder.map { folder in ["tiny", "patch4"].map { "\(folder)/golden/maths/siammae-\($0).safetensors" } }
        return [tests.appendingPathComponent("Fixtures/Maths/siammae-small.safetensors").path] + (shared ?? [])
    }()

    /// The losses of ten steps, and the first gradients by name.
    private func train(
        _ path: String, _ precision: Precision, _ backend: TestBackend = .cpu
    ) throws -> (losses: [Double], gradients: [String: [Double]]) {
        let fixture = try MathsFixture(path: path)
        let backend = try backend.open()
        let model = SiamMAE(fixture.configuration, seed: 0, precision: precision, backend: backend)
        let parameters = model.parameters
        for entry in parameters.entries {
            backend.upload(parameters.parameter(entry.name).value, from: try fixture.file.floats("param." + entry.name, shape: entry.shape))
        }
        parameters.refreshOperands()
        let arena = Arena(backend: backend), frames = try fixture.frames(arena)
        let loss = backend.array(of: Double.self, count: 1)
        var (losses, gradients) = ([Double](), [String: [Double]]())
        for step in 1...10 {
            parameters.clearGradients()
            let tape = Tape(arena: arena, isRecording: true)
            backend.upload(loss, from: [0])
            model.loss(addingTo: loss, frames, visible: fixture.visible, on: tape)
            tape.backward()
            losses.append(backend.download(loss)[0])
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

    @Test(arguments: files, TestBackend.all) func tenStepsInBF16StayBesideF32(path: String, backend: TestBackend) throws {
        let exact = try train(path, .f32), rounded = try train(path, .bf16, backend)
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

    @Test(arguments: files, TestBackend.others) func allBackendsTrainAlike(path: String, backend: TestBackend) throws {
        let first = try train(path, .f32), second = try train(path, .f32, backend)
        for (step, losses) in zip(first.losses, second.losses).enumerated() {
            #expect(abs(losses.0 / losses.1 - 1) < 5e-6, "loss of step \(step + 1)")
        }
    }
}
