import Compute

extension Tape {
    /// `y[r] = x[r] + table[positions[r]]`, or `x[r]` where `positions[r]` is negative, for a `table` that is not learned.
    ///
    /// Backward: `dx += dy`.
    public func positionEmbedding(_ x: Variable, table: Tensor, positions: DeviceArray<Int32>) -> Variable {
        positionEmbedding(x, table, positions) { _ in nil }
    }

    /// The same for a table that was computed.
    public func positionEmbedding(_ x: Variable, table: Variable, positions: DeviceArray<Int32>) -> Variable {
        positionEmbedding(x, table.value, positions) { table.gradientToAddTo($0) }
    }

    /// The same for a learned table, `[1, places, width]`: places in a picture, steps in time, frames that share a sequence.
    ///
    /// Backward: `dx += dy`, `dTable[p] += Σ dy[r]` over the rows with `positions[r] = p`.
    public func positionEmbedding(_ x: Variable, _ table: Parameter, positions: DeviceArray<Int32>) -> Variable {
        positionEmbedding(x, table.value, positions, addingTo: [table]) { _ in table.gradient }
    }

    private func positionEmbedding(
        _ x: Variable, _ table: Tensor, _ positions: DeviceArray<Int32>, addingTo parameters: [Parameter] = [],
        dTable: @escaping (Tape) -> Tensor?
    ) -> Variable {
        let y = Variable(arena.tensor(x.value.shape))
        backend.positionEmbedding(y.value, x.value, table: table, positions: positions)
        record(addingTo: parameters) { tape in
            guard let dy = y.takeGradient() else { return }
            if let dTable = dTable(tape) { tape.backend.positionEmbeddingBackward(dTable: dTable, dy, positions: positions) }
            x.accumulate(dy, tape)
        }
        return y
    }
}
