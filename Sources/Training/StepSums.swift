import Autograd
import Compute

/// The numbers that a step tells of itself, which stay on the device while its micro-batches follow one another: its loss, and the norm of
/// its gradient.
public struct StepSums {
    /// The numbers of a whole step.
    public struct Reading: Equatable, Sendable {
        /// What micro-batches have added.
        public let loss: Double
        /// The length of the gradient of all parameters together.
        public let gradientNorm: Double

        /// What of them is no finite number, so that no update may follow; nil where all is well.
        public var problem: String? {
            if !loss.isFinite { return "the loss is \(loss)" }
            return gradientNorm.isFinite ? nil : "the gradient norm is \(gradientNorm)"
        }
    }

    /// Where micro-batches add their shares of the loss: one number.
    public let loss: DeviceArray<Double>
    private let gradientSquares: DeviceArray<Double>
    private let all: DeviceArray<Double>
    private let parameters: ParameterStore

    /// Sums beside the gradients of `parameters`.
    public init(of parameters: ParameterStore) {
        self.parameters = parameters
        all = parameters.backend.array(of: Double.self, count: 2)
        (loss, gradientSquares) = (all.elements(0..<1), all.elements(1..<2))
    }

    /// Sets loss and gradients to zero, as before a step.
    public func clear() {
        parameters.backend.upload(all, from: [0, 0])
        parameters.clearGradients()
    }

    /// The step's numbers: the one place of a step that waits for the device.
    public func read() -> Reading {
        parameters.backend.sumOfSquares(gradientSquares, parameters.gradients)
        let numbers = parameters.backend.download(all)
        return Reading(loss: numbers[0], gradientNorm: numbers[1].squareRoot())
    }
}
