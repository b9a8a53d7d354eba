import Compute
import Foundation
import TestBackends
import TestSupport
import Testing

@Suite struct GELUTests {
    private static let line: [Float] = stride(from: -12, through: 12, by: 0.0007).map { Float($0) }

    /// GELU and its derivative, through a product with one.
    private func gelu(_ x: Tensor, _ test: TestTensors) -> (value: [Float], derivative: [Float]) {
        let shape = [x.count, 1]
        let y = test.undefined(shape, x.precision), derivative = test.undefined(shape, x.precision)
        test.backend.linearGELU(
            y, derivative: derivative, x.reshaped(shape), weight: test.constant(1, [1, 1], x.precision), bias: test.constant(0, [1]))
        return (test.numbers(y), test.numbers(derivative))
    }

    @Test(arguments: Path.devices) func valueEverywhere(path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let rounding = precision == .bf16 ? BFloat16.precision : 0
        let x = test.tensor(Self.line, [Self.line.count], precision)
        let wrong = zip(test.doubles(x), gelu(x, test).value).first { x, y in
            // Half an error function in double precision; erfc keeps its digits where the result is tiny.
            let expected = x * 0.5 * erfc(-x / 2.0.squareRoot())
            return !(abs(Double(y) - expected) < 4e-7 * max(abs(x), 1e-3) + rounding * abs(expected))
        }
        #expect(wrong == nil)
    }

    @Test(arguments: Path.devices) func derivativeEverywhere(path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let rounding = precision == .bf16 ? BFloat16.precision : 0
        let x = test.tensor(Self.line, [Self.line.count], precision)
        let wrong = zip(test.doubles(x), gelu(x, test).derivative).first { x, derivative in
            let expected = 0.5 * erfc(-x / 2.0.squareRoot()) + x * exp(-x * x / 2) / (2 * .pi).squareRoot()
            return !(abs(Double(derivative) - expected) < 1e-6 + rounding * abs(expected))
        }
        #expect(wrong == nil)
    }

    @Test(arguments: TestTensors.shapes, Path.devices) func multiplication(shape: [Int], path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let x = test.normal(shape, seed: 1, precision), gradient = test.normal(shape, seed: 2, precision)
        let expected = zip(test.doubles(gradient), test.doubles(x)).map { $0 * $1 }
        test.backend.multiply(gradient, x)
        #expect(test.error(gradient, expected) < 1e-7)
    }

    @Test(arguments: Path.devices) func extremes(path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let x = test.tensor([.nan, .infinity, 1e30, -1e30, 0, -0.0], [6], precision)
        let y = gelu(x, test).value
        #expect(y[0].isNaN)
        #expect(y[1] == .infinity)
        #expect(y[2] == test.numbers(x)[2])
        #expect(abs(y[3]) < 1e-6)
        #expect(y[4] == 0 && y[5] == 0)
    }

    /// GELU's derivative has the density times x: 3e38 times nothing.
    @Test(arguments: TestBackend.devices) func slopeOfLargeNumbers(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let x: [Float] = [3e38, -3e38, 1e20, -1e20, 20, -20], column = [x.count, 1]
        let y = test.undefined(column), derivative = test.undefined(column)
        test.backend.linearGELU(
            y, derivative: derivative, test.tensor(x, column), weight: test.constant(1, [1, 1]), bias: test.constant(0, [1]))
        #expect(test.numbers(y) == [3e38, 0, 1e20, 0, 20, 0])
        #expect(test.numbers(derivative) == [1, 0, 1, 0, 1, 0])
    }
}
