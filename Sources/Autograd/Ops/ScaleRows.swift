import Compute

extension Tape {
    /// `residual[r] + scales[r] · branch[r]`: a branch that some samples leave out. Backward: `dBranch += scales[r] · dy[r]`,
    /// `dResidual += dy`.
    public func add(_ branch: Variable, scaledBy scales: Tensor, to residual: Variable) -> Variable {
        let y = Variable(arena.tensor(residual.value.shape))
        backend.scaleRows(y.value, branch.value, scales: scales, residual: residual.value)
        record { tape in
            guard let dy = y.takeGradient() else { return }
            let dBranch = tape.arena.tensor(dy.shape)
            tape.backend.scaleRows(dBranch, dy, scales: scales, residual: nil)
            branch.accumulate(dBranch, tape)
            residual.accumulate(dy, tape)
        }
        return y
    }
}
