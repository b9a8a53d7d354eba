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

extension Tape {
    /// Some consecutive rows of `x`, of which others take the rest. Backward: `dx[r] += dy[r]`.
    public func rows(_ x: Variable, _ range: Range<Int>) -> Variable {
        let width = x.value.columns, elements = range.lowerBound * width..<range.upperBound * width
        let y = Variable(x.value.elements(elements).reshaped([range.count, width]), gradientPrecision: .f32)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.backend.add(x.gradientToAddTo(tape).elements(elements), dy)
        }
        return y
    }
}
