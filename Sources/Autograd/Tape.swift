import Compute

/// Records what was computed, and runs it backwards.
///
/// An op computes its output at once and, if the tape records, leaves a closure that turns the gradient of its output into gradients of its
/// inputs and parameters. The closure keeps just the tensors that it needs; `backward` drops each closure after it ran, so memory is freed
/// as the pass proceeds. A tape that does not record keeps nothing: activations live only as long as the model's code refers to them.
public final class Tape {
    /// Where all tensors of this tape live.
    public let arena: Arena
    /// Whether ops leave what a backward pass needs.
    public let isRecording: Bool
    /// Whether what lies within a `segment` is computed again instead of kept.
    public let recomputes: Bool
    /// A recorded op: its backward pass, and the parameters to whose gradients that adds.
    private struct Step {
        let parameters: [Parameter]
        let run: (Tape) -> Void
    }

    private var steps: [Step] = []
    /// Of every op, recorded or not, the parameters to whose gradients a backward pass adds.
    private(set) var parameters: [Parameter] = []

    /// A tape over the memory of `arena`; `isRecording: false` for inference.
    public init(arena: Arena, isRecording: Bool, recomputes: Bool = false) {
        self.arena = arena
        self.isRecording = isRecording
        self.recomputes = recomputes
    }

    /// The device that computes.
    public var backend: any Backend { arena.backend }

    /// Runs all recorded ops backwards, the last first, and forgets them.
    ///
    /// Starts from whatever the last op knows its gradient to be: a loss counts once.
    ///
    /// - Parameter completing: told of each parameter as soon as nothing more is added to its gradient.
    public func backward(completing: ((Parameter) -> Void)? = nil) {
        guard let completing else {
            while let step = steps.popLast() { step.run(self) }
            return
        }
        var additions: [ObjectIdentifier: Int] = [:]
        for parameter in parameters { additions[ObjectIdentifier(parameter), default: 0] += 1 }
        while let step = steps.popLast() {
            step.run(self)
            for parameter in step.parameters {
                additions[ObjectIdentifier(parameter)]! -= 1
                if additions[ObjectIdentifier(parameter)] == 0 { completing(parameter) }
            }
        }
    }

    /// `gradient` as products with `parameter` read it: itself, or rounded where products are.
    func operand(_ gradient: Tensor, for parameter: Parameter) -> Tensor { operand(gradient, parameter.precision.products) }

    /// `tensor` in the precision of an operand: itself, or rounded.
    public func operand(_ tensor: Tensor, _ precision: Precision) -> Tensor {
        guard tensor.precision == .f32, precision == .bf16 else { return tensor }
        let rounded = arena.tensor(tensor.shape, .bf16)
        backend.round(rounded, tensor)
        return rounded
    }

    /// Leaves `step` for the backward pass; it gets the tape as an argument, because a tape that its steps kept alive would never go.
    ///
    /// - Parameter parameters: those to whose gradients it adds.
    func record(addingTo parameters: [Parameter] = [], _ step: @escaping (Tape) -> Void) {
        self.parameters += parameters
        if isRecording { steps.append(Step(parameters: parameters, run: step)) }
    }
}

/// A tensor that ops have computed, with room for its gradient.
///
/// What is cheap to compute again need not be kept until the backward pass: such a variable is dropped once its reader is done with it, and
/// computed once more when the backward pass asks.
public final class Variable {
    private var kept: Tensor?
    private let compute: (() -> Tensor)?
    private let shape: [Int]
    private let gradientPrecision: Precision
    private var gradient: Tensor?

    /// A constant, or the output of an op.
    public init(_ value: Tensor) {
        kept = value
        compute = nil
        (shape, gradientPrecision) = (value.shape, value.precision)
    }

    /// The output of an op whose gradient has a precision of its own.
    init(_ value: Tensor, gradientPrecision: Precision) {
        kept = value
        compute = nil
        (shape, self.gradientPrecision) = (value.shape, gradientPrecision)
    }

    /// The output of an op that is cheap to compute again: `compute` does so, to the last bit.
    init(_ value: Tensor, gradientPrecision: Precision, recomputedBy compute: @escaping () -> Tensor) {
        kept = value
        self.compute = compute
        shape = value.shape
        self.gradientPrecision = gradientPrecision
    }

    /// The computed numbers.
    public var value: Tensor {
        if let kept { return kept }
        let value = compute!()
        kept = value
        return value
    }

    /// Tells that a reader is done with the value for now.
    func release() {
        if compute != nil { kept = nil }
    }

    /// The gradient that has arrived, which belongs to the caller from now on; nil if nothing depends on this variable.
    package func takeGradient() -> Tensor? {
        defer { gradient = nil }
        return gradient
    }

    /// The gradient to add to: what has arrived so far, or zeros.
    func gradientToAddTo(_ tape: Tape) -> Tensor {
        let (tensor, isNew) = gradientToWrite(tape)
        if isNew { tape.backend.fill(tensor, 0) }
        return tensor
    }

    /// The gradient, and whether it is new: then its contents are undefined and the caller overwrites them, else it adds.
    func gradientToWrite(_ tape: Tape) -> (tensor: Tensor, isNew: Bool) {
        if let gradient { return (gradient, false) }
        let new = tape.arena.tensor(shape, gradientPrecision)
        gradient = new
        return (new, true)
    }

    /// Adds `other`. The first to arrive is taken over as it is, without a copy: whoever calls this has finished with it.
    package func accumulate(_ other: Tensor, _ tape: Tape) {
        if let gradient { tape.backend.add(gradient, other) } else { gradient = other }
    }
}
