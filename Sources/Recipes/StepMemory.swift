import Compute

/// The memory that training steps of a recipe take, known before the first one.
public struct StepMemory: Equatable, Sendable {
    /// Bytes of parameters, gradients, the optimizer's moments, and rounded copies.
    public let parameters: Int
    /// Bytes of activations and their gradients, for the samples that go through the network at once.
    public let activations: Int

    /// Both together.
    public var total: Int { parameters + activations }

    /// Goes through a step on a backend that computes nothing.
    ///
    /// - Parameters:
    ///   - samples: samples that go through the network at once.
    ///   - recomputes: whether blocks are computed again in the backward pass.
    public init(_ recipe: any Recipe, samples: Int, recomputes: Bool) {
        let arena = Arena(backend: PlanningBackend())
        recipe.planStep(samples: samples, recomputes: recomputes, arena: arena)
        parameters = recipe.parameters.byteCount
        activations = arena.touchedBytes
    }

    /// The largest micro-batch below `samples` that divides a batch and whose steps fit into `bytes`; nil where none does.
    public static func largestMicroBatch(
        _ recipe: any Recipe, below samples: Int, of batch: Int, recomputes: Bool, fittingInto bytes: Int
    ) -> Int? {
        (1..<max(1, samples)).reversed().first { candidate in
            batch % candidate == 0 && StepMemory(recipe, samples: candidate, recomputes: recomputes).total <= bytes
        }
    }
}
