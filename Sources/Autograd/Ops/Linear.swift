import Compute

extension Tape {
    /// `x · weightᵀ + bias`, for `x` `[rows, in]` and `weight` `[out, in]`.
    ///
    /// Backward: `dx += dy · weight`, `dWeight += dyᵀ · x`, `dBias += Σ dy`.
    ///
    /// - Parameter precision: of the result: the weight's for what further products read, f32 for what sums are taken of.
    public func linear(_ x: Variable, weight: Parameter, bias: Parameter, _ precision: Precision = .f32) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, bias.value.count], precision))
        backend.linear(y.value, x.value, weight: weight.operand, bias: bias.value)
        recordLinear(y, x, weight: weight, bias: bias)
        return y
    }

    /// `residual + x · weightᵀ + bias`.
    public func linear(_ x: Variable, addingTo residual: Variable, weight: Parameter, bias: Parameter) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, bias.value.count]))
        backend.linearResidual(y.value, x.value, residual: residual.value, weight: weight.operand, bias: bias.value)
        recordLinear(y, x, weight: weight, bias: bias) { tape, dy in residual.accumulate(dy, tape) }
        return y
    }

    /// `gelu(x · weightᵀ + bias)`, with GELU in its exact form. Of the two results only the preactivation is kept.
    public func linearGELU(_ x: Variable, weight: Parameter, bias: Parameter) -> Variable {
        let (arena, backend) = (arena, backend)
        let shape = [x.value.rows, bias.value.count], precision = weight.precision
        let preactivation = arena.tensor(shape, precision)
        let output = arena.tensor(shape, precision)
        backend.linearGELU(output, preactivation: preactivation, x.value, weight: weight.operand, bias: bias.value)
        let y = Variable(output, gradientPrecision: precision) {
            let output = arena.tensor(shape, precision)
            backend.gelu(output, preactivation: preactivation)
            return output
        }
        recordLinear(y, x, weight: weight, bias: bias, before: { tape, dy in tape.backend.geluBackward(dy, preactivation: preactivation) })
        return y
    }

    /// `x · weightᵀ + bias` of data: `x` has no gradient.
    public func linear(_ x: Tensor, weight: Parameter, bias: Parameter) -> Variable {
        let y = Variable(arena.tensor([x.rows, bias.value.count]))
        backend.linear(y.value, x, weight: weight.operand, bias: bias.value)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.backend.linearBackwardWeight(weight.gradient, dBias: bias.gradient, tape.operand(dy, for: weight), x)
        }
        return y
    }

    /// Leaves the backward pass of a product; `before` sees the gradient of its result first, `after` last.
    private func recordLinear(
        _ y: Variable, _ x: Variable, weight: Parameter, bias: Parameter, before: ((Tape, Tensor) -> Void)? = nil,
        after: ((Tape, Tensor) -> Void)? = nil
    ) {
        record { tape in
            guard let dy = y.takeGradient() else { return }
            before?(tape, dy)
            let operand = tape.operand(dy, for: weight)
            tape.backend.linearBackwardWeight(weight.gradient, dBias: bias.gradient, operand, x.value)
            x.release()
            let (dx, isNew) = x.gradientToWrite(tape)
            tape.backend.linearBackwardInput(dx, operand, weight: weight.operand, accumulates: !isNew)
            after?(tape, dy)
        }
        x.release()
    }
}
