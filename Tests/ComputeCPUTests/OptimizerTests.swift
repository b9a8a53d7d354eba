import Compute
import Foundation
import TestSupport
import Testing

@Suite struct OptimizerTests {
    @Test(arguments: [1, 31, 200_000]) func threeStepsOfAdamW(count: Int) throws {
        let test = try TestTensors()
        let (rate, beta1, beta2, epsilon, decay) = (0.01, 0.9, 0.95, 1e-8, 0.05)
        let values = test.normal([count], seed: 1)
        let (m, v) = (test.constant(0, [count]), test.constant(0, [count]))
        var expected = values.numbers.doubles
        var (mean, square) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        for step in 1...3 {
            let gradients = test.normal([count], seed: UInt64(10 + step))
            test.backend.adamW(
                values: values.pointer, gradients: gradients.pointer, firstMoments: m.pointer, secondMoments: v.pointer, count: count,
                learningRate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay, step: step)
            for (i, g) in gradients.numbers.doubles.enumerated() {
                mean[i] = beta1 * mean[i] + (1 - beta1) * g
                square[i] = beta2 * square[i] + (1 - beta2) * g * g
                let (m, v) = (mean[i] / (1 - pow(beta1, Double(step))), square[i] / (1 - pow(beta2, Double(step))))
                expected[i] = expected[i] * (1 - rate * decay) - rate * m / (v.squareRoot() + epsilon)
            }
        }
        #expect(TestNumbers.relativeError(values.numbers, expected) < 1e-6)
        #expect(TestNumbers.relativeError(m.numbers, mean) < 1e-6)
        #expect(TestNumbers.relativeError(v.numbers, square) < 1e-6)
    }

    @Test(arguments: [0, 1, 17, 300_000]) func sumOfSquares(count: Int) throws {
        let test = try TestTensors()
        let numbers = TestNumbers.normal(count, seed: 1)
        let expected = numbers.doubles.reduce(0) { $0 + $1 * $1 }
        #expect(abs(test.backend.sumOfSquares(numbers, count: count) - expected) <= 1e-12 * expected)
    }

    @Test func additionAndFilling() throws {
        let test = try TestTensors()
        let (a, b) = (test.normal([100_003], seed: 1), test.normal([100_003], seed: 2))
        let expected = zip(a.numbers, b.numbers).map { $0 + $1 }
        test.backend.add(a, b)
        #expect(a.numbers == expected)
        test.backend.fill(a, 0.5)
        #expect(a.numbers.allSatisfy { $0 == 0.5 })
    }
}
