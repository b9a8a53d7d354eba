import Autograd
import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct LinearTests {
    /// Rows, inputs, outputs.
    static let shapes = [[1, 3, 5], [7, 16, 9], [70, 5, 3]]

    private func check(_ shape: [Int], _ path: Path, _ more: [GradientCheck.Input] = []) throws -> GradientCheck {
        try GradientCheck(
            [.operand([shape[0], shape[1]]), .parameter([shape[2], shape[1]]), .parameter([shape[2]])] + more, path)
    }

    @Test(arguments: shapes, Path.devices) func plain(shape: [Int], path: Path) throws {
        for output in Set([Precision.f32, path.precision]) {
            let check = try check(shape, path)
            let y = check.tape.linear(check.variable(0), weight: check.parameter(1), bias: check.parameter(2), output)
            #expect(y.value.precision == output)
            check.expectAgreement(y) { Reference.linear($0[0], weight: $0[1], bias: $0[2]) }
        }
    }

    @Test(arguments: shapes, Path.devices) func withResidual(shape: [Int], path: Path) throws {
        let check = try check(shape, path, [.variable([shape[0], shape[2]])])
        let y = check.tape.linear(check.variable(0), addingTo: check.variable(3), weight: check.parameter(1), bias: check.parameter(2))
        check.expectAgreement(y) { zip(Reference.linear($0[0], weight: $0[1], bias: $0[2]), $0[3]).map { $0 + $1 } }
    }

    @Test(arguments: shapes, Path.devices) func withGELU(shape: [Int], path: Path) throws {
        let check = try check(shape, path)
        let y = check.tape.linearGELU(check.variable(0), weight: check.parameter(1), bias: check.parameter(2))
        check.expectAgreement(y) { Reference.linear($0[0], weight: $0[1], bias: $0[2]).map(Reference.gelu) }
    }

    /// Pixels have no gradient, their weights have.
    @Test(arguments: shapes, Path.devices) func ofData(shape: [Int], path: Path) throws {
        let numbers = TestNumbers.normal(shape[0] * shape[1], seed: 7).map(BFloat16.rounded)
        let check = try GradientCheck([.parameter([shape[2], shape[1]]), .parameter([shape[2]])], path)
        let x = check.tape.arena.tensor(numbers, [shape[0], shape[1]], path.precision)
        check.expectAgreement(check.tape.linear(x, weight: check.parameter(0), bias: check.parameter(1))) {
            Reference.linear(numbers.doubles, weight: $0[0], bias: $0[1])
        }
    }

    /// A bias whose middle is not learned, and none at all.
    @Test(arguments: shapes, Path.devices) func ofAPartOfABias(shape: [Int], path: Path) throws {
        let (rows, width, part) = (shape[0], shape[1], shape[2])
        for output in Set([Precision.f32, path.precision]) {
            let check = try GradientCheck(
                [.operand([rows, width]), .parameter([3 * part, width]), .parameter([part]), .parameter([part])], path)
            let bias = PartialBias([check.parameter(2), nil, check.parameter(3)])
            let y = check.tape.linear(check.variable(0), weight: check.parameter(1), bias: bias, output)
            check.expectAgreement(y) { inputs in
                Reference.linear(inputs[0], weight: inputs[1], bias: inputs[2] + [Double](repeating: 0, count: part) + inputs[3])
            }
        }
        let check = try GradientCheck([.operand([rows, width]), .parameter([part, width])], path)
        let y = check.tape.linear(check.variable(0), weight: check.parameter(1), bias: PartialBias([nil]))
        check.expectAgreement(y) { Reference.linear($0[0], weight: $0[1], bias: [Double](repeating: 0, count: part)) }
    }

    @Test(arguments: TestBackend.devices) func gradientsOfTwoUsesAdd(backend: TestBackend) throws {
        let check = try GradientCheck([.variable([4, 6]), .parameter([6, 6]), .parameter([6])], Path(backend, .f32))
        let (x, weight, bias) = (check.variable(0), check.parameter(1), check.parameter(2))
        // x reaches the result three times: through both layers and as the residual.
        let y = check.tape.linear(check.tape.linearGELU(x, weight: weight, bias: bias), addingTo: x, weight: weight, bias: bias)
        check.expectAgreement(y) { inputs in
            let inner = Reference.linear(inputs[0], weight: inputs[1], bias: inputs[2]).map(Reference.gelu)
            return zip(Reference.linear(inner, weight: inputs[1], bias: inputs[2]), inputs[0]).map { $0 + $1 }
        }
    }
}
