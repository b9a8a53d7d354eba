import Compute

extension Tape {
    /// Puts tokens into place: row `r` of the result is `x[sources[r]]`, or the learned `maskToken` where `sources[r]` is negative, plus row
    /// `positions[r]` of the fixed `table`.
    ///
    /// Puts CLS before an encoder's tokens and mask tokens where a decoder sees nothing. Backward: `dx[sources[r]] += dy[r]`,
    /// `dMaskToken += Σ dy[r]` over the rows without a source.
    public func gatherTokens(
        _ x: Variable, maskToken: Parameter, table: Tensor, sources: DeviceArray<Int32>, positions: DeviceArray<Int32>
    ) -> Variable {
        let y = Variable(arena.tensor([sources.count, x.value.columns]))
        backend.gatherTokens(y.value, x.value, maskToken: maskToken.value, table: table, sources: sources, positions: positions)
        record(addingTo: [maskToken]) { tape in
            guard let dy = y.takeGradient() else { return }
            tape.backend.gatherTokensBackward(x.gradientToAddTo(tape), dMaskToken: maskToken.gradient, dy, sources: sources)
        }
        return y
    }

    /// The same where nothing is added to the tokens.
    public func gatherTokens(_ x: Variable, maskToken: Parameter, sources: [Int32]) -> Variable {
        let nothing = arena.tensor([1, x.value.columns])
        backend.fill(nothing, 0)
        return gatherTokens(
            x, maskToken: maskToken, table: nothing, sources: arena.indices(sources), positions: arena.indices(sources.map { _ in 0 }))
    }
}
