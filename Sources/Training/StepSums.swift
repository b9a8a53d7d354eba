import Autograd
import Compute

/// The numbers that a step tells of itself, which stay on the device while its micro-batches follow one another: its loss, and the length of
/// its gradient.
public struct StepSums {
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

    /// The step's loss and the length of the gradient of all parameters together: the one place of a step that waits for the device.
    public func read() -> (loss: Double, gradientNorm: Double) {
        parameters.backend.sumOfSquares(gradientSquares, parameters.gradients)
        let numbers = parameters.backend.download(all)
        return (numbers[0], numbers[1].squareRoot())
    }
}
