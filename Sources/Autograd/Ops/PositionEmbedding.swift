import Compute

extension Tape {
    /// `y[r] = x[r] + table[positions[r]]`, for a `table` that is not learned.
    ///
    /// Backward: `dx += dy`.
    public func positionEmbedding(_ x: Variable, table: Tensor, positions: DeviceArray<Int32>) -> Variable {
        let y = Variable(arena.tensor(x.value.shape))
        backend.frameEmbedding(y.value, x.value, embedding: table, frames: positions)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            x.accumulate(dy, tape)
        }
        return y
    }
}
