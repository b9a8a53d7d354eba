import Compute

/// What training steps of a recipe take, known before the first one.
public struct StepForecast: Equatable, Sendable {
    /// Bytes of parameters, gradients, the optimizer's moments, a teacher's parameters, and rounded copies.
    public let parameters: Int
    /// Bytes of activations and their gradients, for the samples that go through the network at once.
    public let activations: Int
    /// Floating-point operations of the products of matrices: two for each multiplication with its addition. What is computed again is not
    /// counted.
    public let operations: Double

    /// Bytes of both together.
    public var total: Int { parameters + activations }

    /// Goes through a step on a backend that computes nothing.
    ///
    /// - Parameters:
    ///   - samples: samples that go through the network at once.
    ///   - recomputes: whether blocks are computed again in the backward pass.
    public init(_ recipe: any Recipe, samples: Int, recomputes: Bool) {
        let backend = PlanningBackend()
        let arena = Arena(backend: backend)
        recipe.planStep(samples: samples, recomputes: recomputes, arena: arena)
        parameters = recipe.parameters.byteCount + (recipe.teacher?.parameters.inferenceByteCount ?? 0)
        activations = arena.touchedBytes
        operations = backend.operations
    }

    /// The largest micro-batch below `samples` that divides a batch and whose steps fit into `bytes`; nil where none does.
    public static func largestMicroBatch(
        _ recipe: any Recipe, below samples: Int, of batch: Int, recomputes: Bool, fittingInto bytes: Int
    ) -> Int? {
        (1..<max(1, samples)).reversed().first { candidate in
            batch % candidate == 0 && StepForecast(recipe, samples: candidate, recomputes: recomputes).total <= bytes
        }
    }
}
