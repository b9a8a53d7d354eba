import Compute
import Recipes

/// How far the maths may be from reference values, by the precision that it computes in.
public struct Tolerances: Equatable, Sendable {
    /// How far two tensors are apart.
    public enum Measure: Sendable {
        /// The largest difference over the largest value.
        case largest
        /// The length of the difference over the length.
        case norm
    }

    /// How outputs and gradients are compared.
    public var measure: Measure
    /// Outputs of encoder and decoder.
    public var outputs: Double
    /// Losses, relative.
    public var losses: Double
    /// Gradients, each parameter's by itself.
    public var gradients: Double
    /// Parameters after the steps; nil: not judged, for AdamW's first steps follow a gradient's sign more than its size.
    public var parameters: Double?

    /// What `precision` allows. PyTorch's float32 is away from float64 by 4e-7 (outputs), 1e-6 (gradients) and 1.5e-7 (losses); bf16 has 8
    /// bits.
    ///
    /// - Parameter recipe: of iBOT, whose numbers are divided by some hundredths before an exponential, PyTorch's losses are up to 1e-6 away.
    public init(_ precision: ModelPrecision, of recipe: AnyRecipe = AnyRecipe()) {
        switch precision.activations {
        case .f32:
            (measure, outputs, losses, gradients, parameters) = (.largest, 2e-6, 1e-6, 5e-6, 1e-4)
            if recipe.value is IBOT.Settings { losses = 2e-6 }
        case .bf16: (measure, outputs, losses, gradients, parameters) = (.norm, 3e-2, 1e-2, 3e-2, nil)
        }
    }

    /// How far `numbers` are from `expected`, infinitely where one is not finite.
    ///
    /// - Parameters:
    ///   - scaleOfZeros: what a tensor of zeros is measured by instead of itself.
    ///   - isCompared: whether an element counts as a difference; as scale all count.
    func error(
        _ numbers: [Float], _ expected: [Float], scaleOfZeros: Double = 0, isCompared: (Int) -> Bool = { _ in true }
    ) -> Double {
        guard numbers.count == expected.count, numbers.allSatisfy(\.isFinite) else { return .infinity }
        let difference = size(numbers.indices.lazy.filter(isCompared).map { Double(numbers[$0]) - Double(expected[$0]) })
        let own = size(of: expected)
        return difference == 0 ? 0 : difference / (own > 0 ? own : scaleOfZeros)
    }

    /// How large a tensor is, as `measure` has it.
    func size(of numbers: [Float]) -> Double { size(numbers.lazy.map { Double($0) }) }

    private func size(_ numbers: some Sequence<Double>) -> Double {
        switch measure {
        case .largest: numbers.reduce(0) { max($0, abs($1)) }
        case .norm: numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
    }
}
