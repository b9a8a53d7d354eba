import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct FrameEmbeddingTests {
    @Test(arguments: TestBackend.devices) func tokensOfTwoFramesAndOfNone(backend: TestBackend) throws {
        let width = 5
        // Sequences of CLS, a past and a future token, and one end without a frame; enough rows for several tasks.
        let frames = (0..<300).map { $0 % 3 - 1 } + [-1]
        let check = try GradientCheck([.variable([frames.count, width]), .parameter([1, 2, width])], Path(backend, .f32))
        let y = check.tape.frameEmbedding(check.variable(0), check.parameter(1), frames: check.indices(frames))
        check.expectAgreement(y) { inputs in
            inputs[0].indices.map { index in
                let frame = frames[index / width]
                return inputs[0][index] + (frame < 0 ? 0 : inputs[1][frame * width + index % width])
            }
        }
    }
}
