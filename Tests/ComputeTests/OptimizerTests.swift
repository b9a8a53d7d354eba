import Compute
import Foundation
import TestBackends
import TestSupport
import Testing

@Suite struct OptimizerTests {
    /// Gradients of any length, and gradients that count half; MAE's β₂ and PyTorch's, whose 1 − β₂ in f32 is off by 1e-5 of itself.
    @Test(
        arguments: [(1, 1, 0.95), (31, 1, 0.95), (200_000, 1, 0.95), (31, 0.5, 0.95), (31, 1, 0.999)] as [(Int, Float, Double)],
        TestBackend.devices)
    func threeStepsOfAdamW(case: (count: Int, scale: Float, beta2: Double), backend: TestBackend) throws {
        let (test, (count, scale, beta2)) = (try TestTensors(backend), `case`)
        let (rate, beta1, epsilon, decay) = (0.01, 0.9, 1e-8, 0.05)
        let values = test.normal([count], seed: 1)
        let (m, v) = (test.constant(0, [count]), test.constant(0, [count]))
        var expected = test.doubles(values)
        var (mean, square) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        for step in 1...3 {
            let gradients = test.normal([count], seed: UInt64(10 + step))
            test.backend.adamW(
                values: values, gradients: gradients, firstMoments: m, secondMoments: v, learningRate: rate, beta1: beta1, beta2: beta2,
                epsilon: epsilon, weightDecay: decay, step: step, gradientScale: scale)
            for (i, gradient) in test.doubles(gradients).enumerated() {
                let g = Double(scale) * gradient
                mean[i] = beta1 * mean[i] + (1 - beta1) * g
                square[i] = beta2 * square[i] + (1 - beta2) * g * g
                let (m, v) = (mean[i] / (1 - pow(beta1, Double(step))), square[i] / (1 - pow(beta2, Double(step))))
                expected[i] = expected[i] * (1 - rate * decay) - rate * m / (v.squareRoot() + epsilon)
            }
        }
        #expect(TestNumbers.relativeError(test.numbers(values), expected) < 1e-6)
        #expect(TestNumbers.relativeError(test.numbers(m), mean) < 1e-6)
        #expect(TestNumbers.relativeError(test.numbers(v), square) < 1e-6)
    }

    @Test(arguments: TestBackend.devices) func sumsOfSquaresOfBlocks(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let numbers = TestNumbers.normal(300_000, seed: 1)
        let blocks = [5..<5, 0..<1, 3..<20, 20..<300_000]
        let sums = test.backend.array(of: Double.self, count: blocks.count)
        test.backend.sumsOfSquares(sums, test.tensor(numbers, [numbers.count]), blocks: blocks)
        for (sum, block) in zip(test.backend.download(sums), blocks) {
            let expected = numbers.doubles[block].reduce(0) { $0 + $1 * $1 }
            #expect(abs(sum - expected) <= 1e-12 * expected)
        }
    }

    @Test(arguments: TestBackend.devices) func additionAndFilling(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let (a, b) = (test.normal([100_003], seed: 1), test.normal([100_003], seed: 2))
        let expected = zip(test.numbers(a), test.numbers(b)).map { $0 + $1 }
        test.backend.add(a, b)
        #expect(test.numbers(a) == expected)
        test.backend.fill(a, 0.5)
        #expect(test.numbers(a).allSatisfy { $0 == 0.5 })
    }
}
