import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct LayerNormTests {
    @Test(arguments: [[1, 4], [7, 19], [130, 8]], Path.devices) func agreesWithFormula(shape: [Int], path: Path) throws {
        let check = try GradientCheck([.variable(shape), .parameter([shape[1]]), .parameter([shape[1]])], path)
        let y = check.tape.layerNorm(check.variable(0), weight: check.parameter(1), bias: check.parameter(2), epsilon: 1e-6)
        #expect(y.value.precision == path.precision)
        check.expectAgreement(y, tolerance: 2e-5) { Reference.layerNorm($0[0], weight: $0[1], bias: $0[2], epsilon: 1e-6) }
    }

    /// The residual's gradient is there before the norm's; and two layers read the norm, each of which lets it go.
    @Test(arguments: Path.devices) func addsToAGradientThatIsThere(path: Path) throws {
        let check = try GradientCheck(
            [.variable([5, 8]), .parameter([8]), .parameter([8]), .parameter([8, 8]), .parameter([8])], path)
        let x = check.variable(0)
        let normalised = check.tape.layerNorm(x, weight: check.parameter(1), bias: check.parameter(2), epsilon: 1e-6)
        let first = check.tape.linear(normalised, addingTo: x, weight: check.parameter(3), bias: check.parameter(4))
        let y = check.tape.linear(normalised, addingTo: first, weight: check.parameter(3), bias: check.parameter(4))
        check.expectAgreement(y) { inputs in
            let normalised = Reference.layerNorm(inputs[0], weight: inputs[1], bias: inputs[2], epsilon: 1e-6)
            return zip(Reference.linear(normalised, weight: inputs[3], bias: inputs[4]), inputs[0]).map { 2 * $0 + $1 }
        }
    }
}
