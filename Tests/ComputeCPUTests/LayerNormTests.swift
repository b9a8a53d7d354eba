import Compute
import TestSupport
import Testing

@Suite struct LayerNormTests {
    @Test(arguments: TestTensors.shapes, Precision.allCases) func agreesWithFormula(shape: [Int], precision: Precision) throws {
        let test = try TestTensors()
        let (rows, width) = (shape[0], shape[1])
        let (x, weight, bias) = (test.normal(shape, seed: 1), test.normal([width], seed: 2), test.normal([width], seed: 3))
        let y = test.undefined(shape, precision), statistics = test.undefined([rows, 2])
        test.backend.layerNorm(y, statistics: statistics, x, weight: weight, bias: bias, epsilon: 1e-6)
        let expected = Reference.layerNorm(
            x.numbers.doubles, weight: weight.numbers.doubles, bias: bias.numbers.doubles, epsilon: 1e-6)
        #expect(y.error(expected) < 2e-6)

        let dy = test.normal(shape, seed: 4, precision)
        let gradients = Reference.layerNormGradients(dy.numbers.doubles, x.numbers.doubles, weight: weight.numbers.doubles, epsilon: 1e-6)
        for accumulates in [false, true] {
            let before = test.normal(shape, seed: 5)
            let dx = accumulates ? test.normal(shape, seed: 5) : test.undefined(shape)
            let dWeight = test.constant(1, [width]), dBias = test.constant(2, [width])
            test.backend.layerNormBackward(
                dx, dWeight: dWeight, dBias: dBias, dy, x, statistics: statistics, weight: weight, accumulates: accumulates)
            #expect(dx.error(zip(gradients.x, before.numbers).map { $0 + (accumulates ? Double($1) : 0) }) < 3e-6)
            #expect(dWeight.error(gradients.weight.map { 1 + $0 }) < 2e-6)
            #expect(dBias.error(gradients.bias.map { 2 + $0 }) < 2e-6)
        }
    }

    /// A difference of two large sums would lose all digits here.
    @Test func largeMean() throws {
        let test = try TestTensors()
        let x = TestNumbers.normal(64, seed: 1).map { $0 + 3000 }
        let y = test.undefined([1, 64]), ones = test.constant(1, [64]), zeros = test.constant(0, [64])
        test.backend.layerNorm(y, statistics: test.undefined([1, 2]), test.tensor(x, [1, 64]), weight: ones, bias: zeros, epsilon: 1e-6)
        #expect(y.error(Reference.layerNorm(x.doubles, weight: ones.numbers.doubles, bias: zeros.numbers.doubles, epsilon: 1e-6)) < 1e-3)
    }
}
