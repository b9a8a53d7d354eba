import Compute
import ComputeCPU
import TestSupport
import Testing

@Suite struct ThreadsTests {
    /// One of everything that sums over rows, with this many threads.
    private func results(threads: Int) throws -> [Float] {
        let test = try TestTensors(threads: threads)
        let rows = 1111, width = 24
        let (x, dy) = (test.normal([rows, width], seed: 1), test.normal([rows, 3 * width], seed: 2))
        let (weight, bias) = (test.normal([3 * width, width], seed: 3), test.normal([3 * width], seed: 4))
        let y = test.undefined([rows, 3 * width])
        let zeros = [Float](repeating: 0, count: 4 * width * width)
        let (dWeight, dBias) = (test.tensor(zeros, [3 * width, width]), test.tensor(zeros, [3 * width]))
        let (dScale, dShift) = (test.tensor(zeros, [width]), test.tensor(zeros, [width]))
        let (dx, statistics, normalised) = (test.undefined([rows, width]), test.undefined([rows, 2]), test.undefined([rows, width]))
        let scale = test.normal([width], seed: 5)
        test.backend.linear(y, x, weight: weight, bias: bias)
        test.backend.linearBackwardWeight(dWeight, dBias: dBias, dy, x)
        test.backend.linearBackwardInput(dx, dy, weight: weight, accumulates: false)
        test.backend.layerNorm(normalised, statistics: statistics, x, weight: scale, bias: scale, epsilon: 1e-6)
        test.backend.layerNormBackward(
            dx, dWeight: dScale, dBias: dShift, x, x, statistics: statistics, weight: scale, accumulates: true)
        let sum = Float(test.backend.sumOfSquares(y.pointer, count: y.count))
        return [y, dWeight, dBias, dx, dScale, dShift].flatMap(\.numbers) + [sum]
    }

    @Test(arguments: [1, 2, 3, 5]) func sameBitsFromAnyNumberOfThreads(threads: Int) throws {
        let expected = try results(threads: 1).map(\.bitPattern)
        for _ in 0..<5 {
            let bits = try results(threads: threads).map(\.bitPattern)
            #expect(bits == expected)
        }
    }

    @Test func backendsComeAndGo() throws {
        for threads in 1...20 {
            let test = try TestTensors(threads: threads % 5 + 1)
            let tensor = test.undefined([100_000])
            test.backend.fill(tensor, Float(threads))
            #expect(tensor.numbers.allSatisfy { $0 == Float(threads) })
        }
    }
}
