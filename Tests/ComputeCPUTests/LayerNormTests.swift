import Compute
import TestSupport
import Testing

@Suite struct LayerNormTests {
    @Test(arguments: TestTensors.rows, TestTensors.widths) func agreesWithFormula(rows: Int, width: Int) throws {
        let test = try TestTensors()
        let (x, weight, bias) = (test.normal([rows, width], seed: 1), test.normal([width], seed: 2), test.normal([width], seed: 3))
        let y = test.undefined([rows, width])
        test.backend.layerNorm(y, statistics: test.undefined([rows, 2]), x, weight: weight, bias: bias, epsilon: 1e-6)
        let expected = Reference.layerNorm(
            x.numbers.doubles, weight: weight.numbers.doubles, bias: bias.numbers.doubles, epsilon: 1e-6)
        #expect(TestNumbers.relativeError(y.numbers, expected) < 2e-6)
    }

    /// A difference of two large sums would lose all digits here.
    @Test func largeMean() throws {
        let test = try TestTensors()
        let x = TestNumbers.normal(64, seed: 1).map { $0 + 3000 }
        let y = test.undefined([1, 64])
        let (ones, zeros) = ([Float](repeating: 1, count: 64), [Float](repeating: 0, count: 64))
        test.backend.layerNorm(
            y, statistics: test.undefined([1, 2]), test.tensor(x, [1, 64]), weight: test.tensor(ones, [64]), bias: test.tensor(zeros, [64]),
            epsilon: 1e-6)
        #expect(
            TestNumbers.relativeError(y.numbers, Reference.layerNorm(x.doubles, weight: ones.doubles, bias: zeros.doubles, epsilon: 1e-6))
                < 1e-3)
    }

    @Test func notANumberStaysInItsRow() throws {
        let test = try TestTensors()
        var x = TestNumbers.normal(3 * 20, seed: 1)
        x[25] = .nan
        let y = test.undefined([3, 20])
        let (weight, bias) = (test.normal([20], seed: 2), test.normal([20], seed: 3))
        test.backend.layerNorm(y, statistics: test.undefined([3, 2]), test.tensor(x, [3, 20]), weight: weight, bias: bias, epsilon: 1e-6)
        #expect(y.numbers.map(\.isNaN) == (0..<60).map { (20..<40).contains($0) })
    }
}
