import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct ProductTests {
    @Test(arguments: TestTensors.shapes, Path.all) func linear(shape: [Int], path: Path) throws {
        let test = try TestTensors(path.backend)
        let (rows, width, out) = (shape[0], shape[1], 21)
        let (x, weight) = (test.normal([rows, width], seed: 1, path.precision), test.normal([out, width], seed: 2, path.model.products))
        let bias = test.normal([out], seed: 3)
        let expected = Reference.linear(test.doubles(x), weight: test.doubles(weight), bias: test.doubles(bias))

        for output in Set([Precision.f32, path.precision]) {
            let y = test.undefined([rows, out], output)
            test.backend.linear(y, x, weight: weight, bias: bias)
            #expect(test.error(y, expected) < 1e-6, "into \(output)")
        }

        let residual = test.normal([rows, out], seed: 4), sum = test.undefined([rows, out])
        test.backend.linearResidual(sum, x, residual: residual, weight: weight, bias: bias)
        #expect(test.error(sum, zip(expected, test.numbers(residual)).map { $0 + Double($1) }) < 1e-6)

        let derivative = test.undefined([rows, out], path.precision), y = test.undefined([rows, out], path.precision)
        test.backend.linearGELU(y, derivative: derivative, x, weight: weight, bias: bias)
        #expect(test.error(y, expected.map(Reference.gelu)) < 1e-6)
        // A millionth of a preactivation of 30, of which the derivative takes at most 0.8 times the difference.
        #expect(test.error(derivative, expected.map(Reference.geluSlope)) < 2e-5)
    }

    @Test(arguments: TestTensors.shapes, Path.all) func gradients(shape: [Int], path: Path) throws {
        let test = try TestTensors(path.backend)
        let (rows, width, out) = (shape[0], shape[1], 37)
        let dy = test.normal([rows, out], seed: 1, path.precision), x = test.normal([rows, width], seed: 2, path.precision)
        let weight = test.normal([out, width], seed: 3, path.model.products)

        let dInput = Reference.product(test.doubles(dy), test.doubles(weight), inner: out)
        for precision in Set([Precision.f32, path.precision]) {
            let dx = test.undefined([rows, width], precision)
            test.backend.linearBackwardInput(dx, dy, weight: weight, accumulates: false)
            #expect(test.error(dx, dInput) < 1e-6, "into \(precision)")
            let first = test.doubles(dx)
            test.backend.linearBackwardInput(dx, dy, weight: weight, accumulates: true)
            #expect(test.error(dx, zip(first, dInput).map { $0 + $1 }) < 1e-6, "added in \(precision)")
        }

        let transposed = Reference.transpose(test.doubles(dy), columns: out)
        let dWeight = test.constant(1, [out, width]), dBias = test.constant(2, [out])
        test.backend.linearBackwardWeight(dWeight, dBias: dBias, dy, x)
        #expect(test.error(dWeight, Reference.product(transposed, test.doubles(x), inner: rows).map { 1 + $0 }) < 1e-6)
        #expect(test.error(dBias, (0..<out).map { 2 + transposed[$0 * rows..<($0 + 1) * rows].reduce(0, +) }) < 1e-6)
    }

    /// More columns than a tile has, down and across, and more rows than a gradient of a weight sums over at once.
    @Test(arguments: Path.all) func manyTiles(path: Path) throws {
        let test = try TestTensors(path.backend)
        let (rows, width, out) = (1600, 5, 1030)
        let x = test.normal([rows, width], seed: 1, path.precision), weight = test.normal([out, width], seed: 2, path.model.products)
        let dy = test.normal([rows, out], seed: 3, path.precision), bias = test.normal([out], seed: 4)
        let y = test.undefined([rows, out], path.precision), dWeight = test.constant(0, [out, width]), dBias = test.constant(0, [out])
        test.backend.linear(y, x, weight: weight, bias: bias)
        test.backend.linearBackwardWeight(dWeight, dBias: dBias, dy, x)
        #expect(test.error(y, Reference.linear(test.doubles(x), weight: test.doubles(weight), bias: test.doubles(bias))) < 1e-6)
        let transposed = Reference.transpose(test.doubles(dy), columns: out)
        #expect(test.error(dWeight, Reference.product(transposed, test.doubles(x), inner: rows)) < 1e-6)
        #expect(test.error(dBias, (0..<out).map { transposed[$0 * rows..<($0 + 1) * rows].reduce(0, +) }) < 1e-6)

        let wide = test.undefined([rows, out], path.precision)
        let reversed = test.tensor(
            Reference.transpose(test.doubles(weight), columns: width).map { Float($0) }, [width, out], path.model.products)
        test.backend.linearBackwardInput(wide, x, weight: reversed, accumulates: false)
        #expect(test.error(wide, Reference.product(test.doubles(x), test.doubles(reversed), inner: width)) < 1e-6)
    }

    /// Sums of few numbers, and of more than a kernel takes at once.
    @Test(arguments: [[false, false], [false, true], [true, false], [true, true]], Path.all)
    func generalProduct(transposes: [Bool], path: Path) throws {
        for (m, k, n) in [(300, 17, 530), (31, 601, 45)] { try product(m, k, n, transposes, path) }
    }

    private func product(_ m: Int, _ k: Int, _ n: Int, _ transposes: [Bool], _ path: Path) throws {
        let test = try TestTensors(path.backend)
        let a = test.doubles(test.normal([m, k], seed: 1, path.precision))
        let b = test.doubles(test.normal([k, n], seed: 2, path.precision))
        func operand(_ numbers: [Double], _ shape: [Int], _ transposes: Bool) -> Tensor {
            let stored = transposes ? Reference.transpose(numbers, columns: shape[1]) : numbers
            return test.tensor(stored.map { Float($0) }, transposes ? shape.reversed() : shape, path.precision)
        }
        let y = test.undefined([m, n])
        test.backend.product(
            y, operand(a, [m, k], transposes[0]), operand(b, [k, n], transposes[1]), transposeA: transposes[0], transposeB: transposes[1])
        #expect(test.error(y, Reference.product(a, b, inner: k)) < 1e-6)
    }
}
