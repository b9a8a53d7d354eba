import Compute

extension Tape {
    /// The rows of `x`, then those of `y`. Backward: each gets its rows' gradient.
    public func joinRows(_ x: Variable, _ y: Variable) -> Variable {
        let (first, second) = (x.value, y.value)
        let joined = Variable(arena.tensor([first.rows + second.rows, first.columns]))
        backend.copy(joined.value.elements(0..<first.count), first)
        backend.copy(joined.value.elements(first.count..<first.count + second.count), second)
        record { tape in
            guard let gradient = joined.takeGradient() else { return }
            // Both parts keep the whole gradient's memory until they are done with it.
            x.accumulate(gradient.elements(0..<first.count).reshaped(first.shape), tape)
            y.accumulate(gradient.elements(first.count..<first.count + second.count).reshaped(second.shape), tape)
        }
        return joined
    }
}
