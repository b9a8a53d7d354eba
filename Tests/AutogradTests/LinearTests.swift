import Autograd
import Compute
import TestSupport
import Testing

@Suite struct LinearTests {
    /// Rows, inputs, outputs.
    static let shapes = [[1, 3, 5], [7, 16, 9], [70, 5, 3]]

    private func check(_ shape: [Int], _ precision: Precision, _ more: [GradientCheck.Input] = []) throws -> GradientCheck {
        try GradientCheck(
            [.operand([shape[0], shape[1]]), .parameter([shape[2], shape[1]]), .parameter([shape[2]])] + more, precision)
    }

    @Test(arguments: shapes, Precision.allCases) func plain(shape: [Int], precision: Precision) throws {
        for output in Set([Precision.f32, precision]) {
            let check = try check(shape, precision)
            let y = check.tape.linear(check.variable(0), weight: check.parameter(1), bias: check.parameter(2), output)
            #expect(y.value.precision == output)
            check.expectAgreement(y) { Reference.linear($0[0], weight: $0[1], bias: $0[2]) }
        }
    }

    @Test(arguments: shapes, Precision.allCases) func withResidual(shape: [Int], precision: Precision) throws {
        let check = try check(shape, precision, [.variable([shape[0], shape[2]])])
        let y = check.tape.linear(check.variable(0), addingTo: check.variable(3), weight: check.parameter(1), bias: check.parameter(2))
        check.expectAgreement(y) { zip(Reference.linear($0[0], weight: $0[1], bias: $0[2]), $0[3]).map { $0 + $1 } }
    }

    @Test(arguments: shapes, Precision.allCases) func withGELU(shape: [Int], precision: Precision) throws {
        let check = try check(shape, precision)
        let y = check.tape.linearGELU(check.variable(0), weight: check.parameter(1), bias: check.parameter(2))
        check.expectAgreement(y) { Reference.linear($0[0], weight: $0[1], bias: $0[2]).map(Reference.gelu) }
    }

    /// Pixels have no gradient, their weights have.
    @Test(arguments: shapes, Precision.allCases) func ofData(shape: [Int], precision: Precision) throws {
        let numbers = TestNumbers.normal(shape[0] * shape[1], seed: 7).map(BFloat16.rounded)
        let check = try GradientCheck([.parameter([shape[2], shape[1]]), .parameter([shape[2]])], precision)
        let x = check.tape.tensor(numbers, [shape[0], shape[1]], precision)
        check.expectAgreement(check.tape.linear(x, weight: check.parameter(0), bias: check.parameter(1))) {
            Reference.linear(numbers.doubles, weight: $0[0], bias: $0[1])
        }
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
