import Autograd
import Compute

/// A linear map of patches to tokens: the convolution whose kernel and stride are the patch size.
public struct PatchEmbedding {
    let weight: Parameter
    let bias: Parameter
    let patchSize: Int

    /// Weight `[width, 3, p, p]`, xavier-uniform as a matrix; bias uniform, as PyTorch's convolution begins.
    public init(_ parameters: Parameters, patchSize: Int, width: Int) {
        let pixels = 3 * patchSize * patchSize
        weight = parameters.make("proj.weight", [width, 3, patchSize, patchSize], .xavierUniform(out: width, in: pixels))
        bias = parameters.make("proj.bias", [width], .uniform(bound: 1 / Double(pixels).squareRoot()))
        self.patchSize = patchSize
    }

    /// Tokens `[patches.count, width]` of some patches of `images` `[batch, 3, height, width]`; patches are numbered row by row through
    /// all images.
    public func callAsFunction(_ images: Tensor, patches: DeviceArray<Int32>, on tape: Tape) -> Variable {
        let pixels = tape.arena.tensor([patches.count, 3 * patchSize * patchSize], weight.precision)
        tape.backend.patchify(pixels, images, patches: patches, patchSize: patchSize)
        return tape.linear(pixels, weight: weight, bias: bias)
    }
}
