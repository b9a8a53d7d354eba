import Compute

extension Tape {
    /// What `body` computes, keeping nothing of what lies between: the backward pass computes it again, a step's work for a step's memory.
    ///
    /// Only where the tape was made to; otherwise this is `body(self)`. Variables that `body` captures get their gradients as usual; it must
    /// compute the same each time. Chen, Xu, Zhang and Guestrin, "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
    public func segment(_ body: @escaping (Tape) -> Variable) -> Variable {
        guard isRecording, recomputes else { return body(self) }
        let once = Tape(arena: arena, isRecording: false)
        let y = body(once)
        record(addingTo: once.parameters) { tape in
            guard let dy = y.takeGradient() else { return }
            let again = Tape(arena: tape.arena, isRecording: true)
            body(again).accumulate(dy, again)
            again.backward()
        }
        return y
    }
}
