import Compute

extension Tape {
    /// `x · weightᵀ`, for `x` `[rows, in]` and a computed `weight` `[out, in]`, both operands; the result is f32.
    ///
    /// Backward: `dx += dy · weight`, `dWeight += dyᵀ · x`.
    public func product(_ x: Variable, transposed weight: Variable) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, weight.value.rows]))
        backend.product(y.value, x.value, weight.value, transposeA: false, transposeB: true)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            let operand = tape.operand(dy, weight.value.precision)
            let (dx, dWeight) = (tape.arena.tensor(x.value.shape), tape.arena.tensor(weight.value.shape))
            tape.backend.product(dWeight, operand, x.value, transposeA: true, transposeB: false)
            weight.accumulate(dWeight, tape)
            tape.backend.product(dx, operand, weight.value, transposeA: false, transposeB: false)
            x.accumulate(dx, tape)
        }
        return y
    }

    /// `matrix · x`, for a constant `matrix` `[rows, rows of x]`: each row of the result is made of those of `x`.
    ///
    /// Backward: `dx += matrixᵀ · dy`.
    public func product(_ matrix: Tensor, _ x: Variable) -> Variable {
        let y = Variable(arena.tensor([matrix.rows, x.value.columns]))
        backend.product(y.value, matrix, x.value, transposeA: false, transposeB: false)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            let dx = tape.arena.tensor(x.value.shape)
            tape.backend.product(dx, matrix, dy, transposeA: true, transposeB: false)
            x.accumulate(dx, tape)
        }
        return y
    }
}
