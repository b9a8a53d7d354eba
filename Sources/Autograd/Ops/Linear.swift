import Compute

extension Tape {
    /// `x · weightᵀ + bias`, for `x` `[rows, in]` and `weight` `[out, in]`.
    ///
    /// Backward: `dx += dy · weight`, `dWeight += dyᵀ · x`, `dBias += Σ dy`.
    ///
    /// - Parameter precision: of the result: that of activations for what further products read, f32 for what sums are taken of.
    public func linear(_ x: Variable, weight: Parameter, bias: any Bias, _ precision: Precision = .f32) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, weight.shape[0]], precision))
        backend.linear(y.value, x.value, weight: weight.operand, bias: bias.numbers(weight.shape[0], on: self))
        recordLinear(y, x, weight: weight, bias: bias)
        return y
    }

    /// `residual + x · weightᵀ + bias`.
    public func linear(_ x: Variable, addingTo residual: Variable, weight: Parameter, bias: any Bias) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, weight.shape[0]]))
        backend.linearResidual(
            y.value, x.value, residual: residual.value, weight: weight.operand, bias: bias.numbers(weight.shape[0], on: self))
        recordLinear(y, x, weight: weight, bias: bias) { tape, dy in residual.accumulate(dy, tape) }
        return y
    }

    /// `gelu(x · weightᵀ + bias)`, with GELU in its exact form. Its derivative is computed with it, while the cost is shared.
    public func linearGELU(_ x: Variable, weight: Parameter, bias: any Bias) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, weight.shape[0]], weight.precision.activations))
        let derivative = arena.tensor(y.value.shape, weight.precision.activations)
        backend.linearGELU(y.value, derivative: derivative, x.value, weight: weight.operand, bias: bias.numbers(weight.shape[0], on: self))
        recordLinear(y, x, weight: weight, bias: bias, before: { tape, dy in tape.backend.multiply(dy, derivative) })
        return y
    }

    /// `x · weightᵀ + bias` of data: `x` has no gradient.
    public func linear(_ x: Tensor, weight: Parameter, bias: any Bias) -> Variable {
        let y = Variable(arena.tensor([x.rows, weight.shape[0]]))
        backend.linear(y.value, x, weight: weight.operand, bias: bias.numbers(weight.shape[0], on: self))
        record(addingTo: [weight] + bias.parameters) { tape in
            guard let dy = y.takeGradient() else { return }
            let operand = tape.operand(dy, for: weight)
            bias.addGradient(weight.shape[0], on: tape) { tape.backend.linearBackwardWeight(weight.gradient, dBias: $0, operand, x) }
        }
        return y
    }

    /// Leaves the backward pass of a product; `before` sees the gradient of its result first, `after` last.
    private func recordLinear(
        _ y: Variable, _ x: Variable, weight: Parameter, bias: any Bias, before: ((Tape, Tensor) -> Void)? = nil,
        after: ((Tape, Tensor) -> Void)? = nil
    ) {
        record(addingTo: [weight] + bias.parameters) { tape in
            guard let dy = y.takeGradient() else { return }
            before?(tape, dy)
            let operand = tape.operand(dy, for: weight)
            bias.addGradient(weight.shape[0], on: tape) { tape.backend.linearBackwardWeight(weight.gradient, dBias: $0, operand, x.value) }
            x.release()
            let (dx, isNew) = x.gradientToWrite(tape)
            tape.backend.linearBackwardInput(dx, operand, weight: weight.operand, accumulates: !isNew)
            after?(tape, dy)
        }
        x.release()
    }
}
