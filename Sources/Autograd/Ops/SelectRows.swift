import Compute

extension Tape {
    /// `y[r] = x[sources[r]]`: some of the rows, in an order of their own.
    ///
    /// Backward: `dx[sources[r]] += dy[r]`.
    public func selectRows(_ x: Variable, sources: DeviceArray<Int32>) -> Variable {
        let y = Variable(arena.tensor([sources.count, x.value.columns]))
        backend.selectRows(y.value, x.value, sources: sources)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            // Every row has a source, so that no gradient goes to the token of places without one.
            let noToken = tape.arena.tensor([1, dy.columns])
            tape.backend.fill(noToken, 0)
            tape.backend.gatherTokensBackward(x.gradientToAddTo(tape), dMaskToken: noToken, dy, sources: sources)
        }
        return y
    }
}
