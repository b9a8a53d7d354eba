import Compute

extension Tape {
    /// `x · weightᵀ + bias`, for `x` `[rows, in]` and `weight` `[out, in]`.
    ///
    /// Backward: `dx += dy · weight`, `dWeight += dyᵀ · x`, `dBias += Σ dy`.
    public func linear(_ x: Variable, weight: Parameter, bias: Parameter) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, bias.value.count]))
        backend.linear(y.value, x.value, weight: weight.value, bias: bias.value)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.linearBackward(dy, x, weight: weight, bias: bias)
        }
        return y
    }

    /// `residual + x · weightᵀ + bias`.
    public func linear(_ x: Variable, addingTo residual: Variable, weight: Parameter, bias: Parameter) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, bias.value.count]))
        backend.linearResidual(y.value, x.value, residual: residual.value, weight: weight.value, bias: bias.value)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.linearBackward(dy, x, weight: weight, bias: bias)
            residual.accumulate(dy, tape)
        }
        return y
    }

    /// `gelu(x · weightᵀ + bias)`, with GELU in its exact form.
    public func linearGELU(_ x: Variable, weight: Parameter, bias: Parameter) -> Variable {
        let y = Variable(arena.tensor([x.value.rows, bias.value.count]))
        let preactivation = arena.tensor(y.value.shape)
        backend.linearGELU(y.value, preactivation: preactivation, x.value, weight: weight.value, bias: bias.value)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.backend.geluBackward(dy, preactivation: preactivation)
            tape.linearBackward(dy, x, weight: weight, bias: bias)
        }
        return y
    }

    /// `x · weightᵀ + bias` of data: `x` has no gradient.
    public func linear(_ x: Tensor, weight: Parameter, bias: Parameter) -> Variable {
        let y = Variable(arena.tensor([x.rows, bias.value.count]))
        backend.linear(y.value, x, weight: weight.value, bias: bias.value)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            tape.backend.linearBackwardWeight(weight.gradient, dBias: bias.gradient, dy, x)
        }
        return y
    }

    private func linearBackward(_ dy: Tensor, _ x: Variable, weight: Parameter, bias: Parameter) {
        backend.linearBackwardWeight(weight.gradient, dBias: bias.gradient, dy, x.value)
        let (dx, isNew) = x.gradientToWrite(self)
        backend.linearBackwardInput(dx, dy, weight: weight.value, accumulates: !isNew)
    }
}
