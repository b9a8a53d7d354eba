import Autograd
import TestSupport
import Testing

@Suite struct LinearTests {
    /// Rows, inputs, outputs.
    static let shapes = [[1, 3, 5], [7, 16, 9], [70, 5, 3]]

    @Test(arguments: shapes) func plain(shape: [Int]) throws {
        let check = try GradientCheck([.variable([shape[0], shape[1]]), .parameter([shape[2], shape[1]]), .parameter([shape[2]])])
        let y = check.tape.linear(check.variable(0), weight: check.parameter(1), bias: check.parameter(2))
        check.expectAgreement(y) { Reference.linear($0[0], weight: $0[1], bias: $0[2]) }
    }

    @Test(arguments: shapes) func withResidual(shape: [Int]) throws {
        let check = try GradientCheck([
            .variable([shape[0], shape[1]]), .parameter([shape[2], shape[1]]), .parameter([shape[2]]), .variable([shape[0], shape[2]]),
        ])
        let y = check.tape.linear(check.variable(0), addingTo: check.variable(3), weight: check.parameter(1), bias: check.parameter(2))
        check.expectAgreement(y) { zip(Reference.linear($0[0], weight: $0[1], bias: $0[2]), $0[3]).map { $0 + $1 } }
    }

    @Test(arguments: shapes) func withGELU(shape: [Int]) throws {
        let check = try GradientCheck([.variable([shape[0], shape[1]]), .parameter([shape[2], shape[1]]), .parameter([shape[2]])])
        let y = check.tape.linearGELU(check.variable(0), weight: check.parameter(1), bias: check.parameter(2))
        check.expectAgreement(y) { Reference.linear($0[0], weight: $0[1], bias: $0[2]).map(Reference.gelu) }
    }

    @Test func gradientsOfTwoUsesAdd() throws {
        let check = try GradientCheck([.variable([4, 6]), .parameter([6, 6]), .parameter([6])])
        let (x, weight, bias) = (check.variable(0), check.parameter(1), check.parameter(2))
        // x reaches the result three times: through both layers and as the residual.
        let y = check.tape.linear(check.tape.linearGELU(x, weight: weight, bias: bias), addingTo: x, weight: weight, bias: bias)
        check.expectAgreement(y) { inputs in
            let inner = Reference.linear(inputs[0], weight: inputs[1], bias: inputs[2]).map(Reference.gelu)
            return zip(Reference.linear(inner, weight: inputs[1], bias: inputs[2]), inputs[0]).map { $0 + $1 }
        }
    }
}
