import Autograd
import Compute

/// A linear map of patches to tokens: the convolution whose kernel and stride are the patch, of pictures or of clips.
public struct PatchEmbedding {
    let weight: Parameter
    let bias: Parameter
    let patch: PatchShape

    /// Of pictures: weight `[width, 3, p, p]`, xavier-uniform as a matrix; bias uniform, as PyTorch's convolution begins.
    public init(_ parameters: Parameters, patchSize: Int, width: Int) {
        let patch = PatchShape(patchSize)
        self.init(
            parameters, patch, width: width, shape: [width, 3, patchSize, patchSize], .xavierUniform(out: width, in: patch.count))
    }

    /// Of clips: weight `[width, 3, frames, p, p]`; bias uniform, as PyTorch's convolution begins.
    public init(_ parameters: Parameters, patch: PatchShape, width: Int, weight initialization: Initialization) {
        self.init(parameters, patch, width: width, shape: [width, 3, patch.frames, patch.size, patch.size], initialization)
    }

    private init(_ parameters: Parameters, _ patch: PatchShape, width: Int, shape: [Int], _ initialization: Initialization) {
        weight = parameters.make("proj.weight", shape, initialization)
        bias = parameters.make("proj.bias", [width], .frameworkDefault(in: patch.count))
        self.patch = patch
    }

    /// Tokens `[patches.count, width]` of some patches of `images` `[frames, 3, height, width]`; patches are numbered over time, then row by
    /// row, through all images.
    public func callAsFunction(_ images: Tensor, patches: DeviceArray<Int32>, on tape: Tape) -> Variable {
        let pixels = tape.arena.tensor([patches.count, patch.count], weight.precision.activations)
        tape.backend.patchify(pixels, images, patches: patches, patch)
        return tape.linear(pixels, weight: weight, bias: bias)
    }
}
