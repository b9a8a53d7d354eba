import Autograd
import Compute

extension VisionTransformer {
    /// What CLS and some patches look at in the last block, head by head: for pictures.
    ///
    /// - Parameters:
    ///   - image: `[1, 3, height, width]`, normalised, of any size that the patch size divides.
    ///   - tokens: those that look; 0 is CLS, 1 the first patch.
    /// - Returns: `[tokens.count, heads, cells]`, cells row by row. The share that goes to CLS is left out, so a head's numbers add up to less
    ///   than 1.
    ///
    /// Source: facebookresearch/dino: visualize_attention.py.
    public func lastAttention(_ image: Tensor, tokens: [Int], arena: Arena) -> [Float] {
        precondition(image.shape[0] == 1, "attention of \(image.shape[0]) images at once")
        let cells = image.shape[2] / configuration.patchSize * (image.shape[3] / configuration.patchSize)
        let tape = Tape(arena: arena, isRecording: false)
        var (x, sequences) = embed(image, sequences: [Array(0..<Int32(cells))], on: tape)
        for block in blocks.dropLast() { x = block(x, sequences: sequences, on: tape) }
        let weights = blocks[blocks.count - 1].attentionWeights(x, queries: tokens, on: tape)
        return weights.indices.filter { $0 % (1 + cells) != 0 }.map { weights[$0] }
    }
}
