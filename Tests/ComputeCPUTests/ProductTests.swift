import Compute
import TestSupport
import Testing

@Suite struct ProductTests {
    @Test(arguments: TestTensors.rows, TestTensors.widths) func linear(rows: Int, width: Int) throws {
        let test = try TestTensors()
        let (x, weight, bias) = (test.normal([rows, width], seed: 1), test.normal([21, width], seed: 2), test.normal([21], seed: 3))
        let expected = Reference.linear(x.numbers.doubles, weight: weight.numbers.doubles, bias: bias.numbers.doubles)

        let y = test.undefined([rows, 21])
        test.backend.linear(y, x, weight: weight, bias: bias)
        #expect(TestNumbers.relativeError(y.numbers, expected) < 1e-6)

        let residual = test.normal([rows, 21], seed: 4)
        test.backend.linearResidual(y, x, residual: residual, weight: weight, bias: bias)
        #expect(TestNumbers.relativeError(y.numbers, zip(expected, residual.numbers).map { $0 + Double($1) }) < 1e-6)

        let preactivation = test.undefined([rows, 21])
        test.backend.linearGELU(y, preactivation: preactivation, x, weight: weight, bias: bias)
        #expect(TestNumbers.relativeError(preactivation.numbers, expected) < 1e-6)
        #expect(TestNumbers.relativeError(y.numbers, expected.map(Reference.gelu)) < 1e-6)
    }

    @Test(arguments: TestTensors.rows, [[3, 16], [700, 45]]) func gradients(rows: Int, sizes: [Int]) throws {
        let test = try TestTensors()
        let (out, width) = (sizes[0], sizes[1])
        let (dy, x, weight) = (
            test.normal([rows, out], seed: 1), test.normal([rows, width], seed: 2), test.normal([out, width], seed: 3)
        )
        let dInput = Reference.product(dy.numbers.doubles, weight.numbers.doubles, inner: out)

        let dx = test.undefined([rows, width])
        test.backend.linearBackwardInput(dx, dy, weight: weight, accumulates: false)
        #expect(TestNumbers.relativeError(dx.numbers, dInput) < 1e-6)
        test.backend.linearBackwardInput(dx, dy, weight: weight, accumulates: true)
        #expect(TestNumbers.relativeError(dx.numbers, dInput.map { 2 * $0 }) < 1e-6)

        let transposed = Reference.transpose(dy.numbers.doubles, columns: out)
        let dWeightExpected = Reference.product(transposed, x.numbers.doubles, inner: rows)
        let dBiasExpected = (0..<out).map { transposed[$0 * rows..<($0 + 1) * rows].reduce(0, +) }
        let (dWeight, dBias) = (
            test.tensor(Array(repeating: 1, count: out * width), [out, width]), test.tensor(Array(repeating: 2, count: out), [out])
        )
        test.backend.linearBackwardWeight(dWeight, dBias: dBias, dy, x)
        #expect(TestNumbers.relativeError(dWeight.numbers, dWeightExpected.map { 1 + $0 }) < 2e-6)
        #expect(TestNumbers.relativeError(dBias.numbers, dBiasExpected.map { 2 + $0 }) < 2e-6)
    }

    @Test(arguments: [false, true], [false, true]) func generalProduct(transposeA: Bool, transposeB: Bool) throws {
        let test = try TestTensors()
        let (m, k, n) = (300, 17, 530)
        let (a, b) = (test.normal([m, k], seed: 1).numbers.doubles, test.normal([k, n], seed: 2).numbers.doubles)
        let expected = Reference.product(a, b, inner: k)
        func operand(_ numbers: [Double], _ shape: [Int], _ transposes: Bool) -> Tensor {
            let stored = transposes ? Reference.transpose(numbers, columns: shape[1]) : numbers
            return test.tensor(stored.map { Float($0) }, transposes ? shape.reversed() : shape)
        }
        let y = test.undefined([m, n])
        test.backend.product(
            y, operand(a, [m, k], transposeA), operand(b, [k, n], transposeB), transposeA: transposeA, transposeB: transposeB)
        #expect(TestNumbers.relativeError(y.numbers, expected) < 1e-6)
    }
}
