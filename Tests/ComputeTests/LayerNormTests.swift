import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct LayerNormTests {
    @Test(arguments: TestTensors.shapes, Path.devices) func agreesWithFormula(shape: [Int], path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let (rows, width) = (shape[0], shape[1])
        let (x, weight, bias) = (test.normal(shape, seed: 1), test.normal([width], seed: 2), test.normal([width], seed: 3))
        let y = test.undefined(shape, precision), statistics = test.undefined([rows, 2])
        test.backend.layerNorm(y, statistics: statistics, x, weight: weight, bias: bias, epsilon: 1e-6)
        let expected = Reference.layerNorm(
            test.doubles(x), weight: test.doubles(weight), bias: test.doubles(bias), epsilon: 1e-6)
        #expect(test.error(y, expected) < 2e-6)

        let dy = test.normal(shape, seed: 4, precision)
        let gradients = Reference.layerNormGradients(
            test.doubles(dy), test.doubles(x), weight: test.doubles(weight),
            statistics: Reference.statistics(test.doubles(x), width: width, epsilon: 1e-6))
        for accumulates in [false, true] {
            let before = test.normal(shape, seed: 5)
            let dx = accumulates ? test.normal(shape, seed: 5) : test.undefined(shape)
            let dWeight = test.constant(1, [width]), dBias = test.constant(2, [width])
            test.backend.layerNormBackward(
                dx, dWeight: dWeight, dBias: dBias, dy, x, statistics: statistics, weight: weight, accumulates: accumulates)
            #expect(test.error(dx, zip(gradients.x, test.numbers(before)).map { $0 + (accumulates ? Double($1) : 0) }) < 3e-6)
            #expect(test.error(dWeight, gradients.weight.map { 1 + $0 }) < 2e-6)
            #expect(test.error(dBias, gradients.bias.map { 2 + $0 }) < 2e-6)
        }
    }

    /// A difference of two large sums would lose all digits here.
    @Test(arguments: TestBackend.devices) func largeMean(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let x = TestNumbers.normal(64, seed: 1).map { $0 + 3000 }
        let y = test.undefined([1, 64]), ones = test.constant(1, [64]), zeros = test.constant(0, [64])
        test.backend.layerNorm(y, statistics: test.undefined([1, 2]), test.tensor(x, [1, 64]), weight: ones, bias: zeros, epsilon: 1e-6)
        #expect(test.error(y, Reference.layerNorm(x.doubles, weight: test.doubles(ones), bias: test.doubles(zeros), epsilon: 1e-6)) < 1e-3)
    }
}
