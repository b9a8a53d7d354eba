import Compute

extension Tape {
    /// Tells the tokens of frames apart that share a sequence: row `r` of the result is `x[r] + embedding[frames[r]]`, or `x[r]` where
    /// `frames[r]` is negative.
    ///
    /// `embedding` is learned, `[1, frames, width]`. Backward: `dx += dy`, `dEmbedding[f] += Σ dy[r]` over the rows with `frames[r] = f`.
    public func frameEmbedding(_ x: Variable, _ embedding: Parameter, frames: DeviceArray<Int32>) -> Variable {
        let y = Variable(arena.tensor(x.value.shape))
        backend.frameEmbedding(y.value, x.value, embedding: embedding.value, frames: frames)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.backend.frameEmbeddingBackward(dEmbedding: embedding.gradient, dy, frames: frames)
            x.accumulate(dy, tape)
        }
        return y
    }
}
