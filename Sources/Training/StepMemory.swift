import Compute
import Models

/// The memory that training steps of a model take, known before the first one.
public struct StepMemory: Equatable, Sendable {
    /// Bytes of parameters, gradients, the optimizer's moments, and rounded copies.
    public let parameters: Int
    /// Bytes of activations and their gradients, for the pairs that go through the network at once.
    public let activations: Int

    /// Both together.
    public var total: Int { parameters + activations }

    /// Goes through a step on a backend that computes nothing.
    ///
    /// - Parameters:
    ///   - pairs: pairs that go through the network at once.
    ///   - visible: patches that the encoder sees of each past frame, nil for all, and of each future frame.
    ///   - recomputes: whether blocks are computed again in the backward pass.
    public init(_ model: SiamMAE, pairs: Int, visible: (past: Int?, future: Int), recomputes: Bool) {
        let arena = Arena(backend: PlanningBackend())
        model.planStep(pairs: pairs, visible: visible, recomputes: recomputes, arena: arena)
        parameters = model.parameters.byteCount
        activations = arena.touchedBytes
    }

    /// The largest micro-batch below `pairs` that divides a batch and whose steps fit into `bytes`; nil where none does.
    public static func largestMicroBatch(
        _ model: SiamMAE, below pairs: Int, of batch: Int, visible: (past: Int?, future: Int), recomputes: Bool, fittingInto bytes: Int
    ) -> Int? {
        (1..<max(1, pairs)).reversed().first { candidate in
            batch % candidate == 0
                && StepMemory(model, pairs: candidate, visible: visible, recomputes: recomputes).total <= bytes
        }
    }
}
