import Compute
import Foundation
import TestBackends
import TestSupport
import Testing

/// What teachers, heads and batch norms are made of.
@Suite struct TargetTests {
    @Test(arguments: [1, 45, 100_000], TestBackend.devices) func aMovingAverageFollows(count: Int, backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let (target, source) = (test.normal([count], seed: 1), test.normal([count], seed: 2))
        let expected = zip(test.doubles(target), test.doubles(source)).map { 0.996 * $0 + 0.004 * $1 }
        test.backend.blend(target, source, keeping: 0.996)
        #expect(test.error(target, expected) < 2e-7)
    }

    @Test(arguments: TestTensors.shapes, TestBackend.devices) func rowsAreScaled(shape: [Int], backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let (x, residual, scales) = (test.normal(shape, seed: 1), test.normal(shape, seed: 2), test.normal([shape[0]], seed: 3))
        let scaled = test.doubles(x).enumerated().map { $1 * test.doubles(scales)[$0 / shape[1]] }
        let y = test.undefined(shape)
        test.backend.scaleRows(y, x, scales: scales, residual: nil)
        #expect(test.error(y, scaled) < 2e-7)
        test.backend.scaleRows(y, x, scales: scales, residual: residual)
        #expect(test.error(y, zip(scaled, test.doubles(residual)).map { $0 + $1 }) < 2e-7)
    }

    @Test(arguments: TestTensors.shapes, Path.devices) func unitRowsAgreeWithTheirFormula(shape: [Int], path: Path) throws {
        let (test, width) = (try TestTensors(path.backend), shape[1])
        let (x, gains, dy) = (test.normal(shape, seed: 1), test.normal([shape[0]], seed: 2), test.normal(shape, seed: 3))
        for gains in [nil, gains] {
            let y = test.undefined(shape, path.precision)
            test.backend.unitRows(y, x, gains: gains)
            #expect(test.error(y, Reference.unitRows(test.doubles(x), width: width, gains: gains.map(test.doubles))) < 2e-7)
            let expected = Reference.unitRowsGradients(
                test.doubles(dy), test.doubles(x), width: width, gains: gains.map(test.doubles))
            let (dx, dGains) = (test.constant(1, shape), test.constant(2, [shape[0]]))
            test.backend.unitRowsBackward(dx, dGains: gains.map { _ in dGains }, dy, x, gains: gains)
            #expect(test.error(dx, expected.x.map { 1 + $0 }) < 2e-6)
            #expect(test.error(dGains, gains == nil ? expected.gains.map { _ in 2 } : expected.gains.map { 2 + $0 }) < 1e-6)
        }
    }

    @Test(arguments: [[5, 3], [7, 16], [197, 45], [300, 130]], Path.devices)
    func batchNormAgreesWithItsFormula(shape: [Int], path: Path) throws {
        let (test, width) = (try TestTensors(path.backend), shape[1])
        let (x, weight, bias) = (test.normal(shape, seed: 1), test.normal([width], seed: 2), test.normal([width], seed: 3))
        let (y, statistics) = (test.undefined(shape, path.precision), test.undefined([2, width]))
        test.backend.batchNorm(y, statistics: statistics, x, weight: weight, bias: bias, epsilon: 1e-5)
        let expected = Reference.batchNorm(
            test.doubles(x), weight: test.doubles(weight), bias: test.doubles(bias), epsilon: 1e-5)
        #expect(test.error(y, expected) < 2e-6)
        let columns = Reference.columnStatistics(test.doubles(x), width: width)
        #expect(test.error(statistics, columns.mean + columns.variance) < 1e-6)

        let dy = test.normal(shape, seed: 4, path.precision)
        let gradients = Reference.batchNormGradients(
            test.doubles(dy), test.doubles(x), weight: test.doubles(weight), epsilon: 1e-5)
        for accumulates in [false, true] {
            let before = test.normal(shape, seed: 5)
            let dx = accumulates ? test.normal(shape, seed: 5) : test.undefined(shape)
            let dWeight = test.constant(1, [width]), dBias = test.constant(2, [width])
            test.backend.batchNormBackward(
                dx, dWeight: dWeight, dBias: dBias, dy, x, statistics: statistics, weight: weight, epsilon: 1e-5, accumulates: accumulates)
            #expect(test.error(dx, zip(gradients.x, test.numbers(before)).map { $0 + (accumulates ? Double($1) : 0) }) < 5e-6)
            #expect(test.error(dWeight, gradients.weight.map { 1 + $0 }) < 2e-6)
            #expect(test.error(dBias, gradients.bias.map { 2 + $0 }) < 2e-6)
        }
    }

    /// A difference of two large sums would lose all digits here.
    @Test(arguments: TestBackend.devices) func batchNormOfALargeMean(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let x = TestNumbers.normal(640, seed: 1).map { $0 + 3000 }
        let (y, ones, zeros) = (test.undefined([64, 10]), test.constant(1, [10]), test.constant(0, [10]))
        test.backend.batchNorm(y, statistics: test.undefined([2, 10]), test.tensor(x, [64, 10]), weight: ones, bias: zeros, epsilon: 1e-5)
        #expect(test.error(y, Reference.batchNorm(x.doubles, weight: test.doubles(ones), bias: test.doubles(zeros), epsilon: 1e-5)) < 1e-3)
    }

    @Test(arguments: TestTensors.shapes, TestBackend.devices) func aSoftmaxAroundACentre(shape: [Int], backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let (x, centre) = (test.normal(shape, seed: 1), test.normal([shape[1]], seed: 2))
        let (y, entropies) = (test.undefined(shape), test.undefined([shape[0]]))
        test.backend.centredSoftmax(y, entropies: entropies, x, centre: centre, temperature: 0.3)
        let expected = Reference.softmax(test.doubles(x), centre: test.doubles(centre), temperature: 0.3)
        #expect(test.error(y, expected) < 2e-6)
        #expect(test.error(entropies, Reference.entropies(expected, width: shape[1])) < 2e-6)
    }

    /// A teacher that is sure of itself has no entropy, one that knows nothing has the logarithm of the width.
    @Test(arguments: TestBackend.devices) func entropiesAtTheirEnds(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        var numbers = [Float](repeating: 0, count: 2 * 8192)
        numbers[77] = 100
        let entropies = test.undefined([2]), zeros = test.constant(0, [8192])
        test.backend.centredSoftmax(
            test.undefined([2, 8192]), entropies: entropies, test.tensor(numbers, [2, 8192]), centre: zeros, temperature: 0.04)
        #expect(test.numbers(entropies)[0] == 0)
        #expect(abs(Double(test.numbers(entropies)[1]) - log(8192)) < 1e-5)
    }

    @Test(arguments: [3, 45, 130], TestBackend.devices) func crossEntropyAgreesWithItsFormula(width: Int, backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let rows = 40, partners = (0..<2 * rows).map { $0 * 5 % 9 - 1 }
        let (logits, weights) = (test.normal([rows, width], seed: 1), test.normal([rows], seed: 2))
        let targets = Reference.softmax(
            TestNumbers.normal(8 * width, seed: 3).doubles, centre: Array(repeating: 0, count: width), temperature: 0.5)
        let distributions = test.tensor(targets.map { Float($0) }, [8, width])
        let (loss, logSumExp, dLogits) = (test.scalar(3), test.undefined([rows]), test.undefined([rows, width]))
        test.backend.crossEntropy(
            loss, logSumExp: logSumExp, logits, targets: distributions, partners: test.indices(partners), weights: weights,
            temperature: 0.1)
        let arguments = (test.doubles(logits), test.doubles(distributions), test.doubles(weights))
        let expected = Reference.crossEntropy(
            arguments.0, targets: arguments.1, partners: partners, weights: arguments.2, temperature: 0.1)
        #expect(abs(test.value(loss) - 3 - expected) < 1e-6 * abs(expected))
        test.backend.crossEntropyBackward(
            dLogits, logits, logSumExp: logSumExp, targets: distributions, partners: test.indices(partners), weights: weights,
            temperature: 0.1)
        let gradient = Reference.crossEntropyGradient(
            arguments.0, targets: arguments.1, partners: partners, weights: arguments.2, temperature: 0.1)
        #expect(test.error(dLogits, gradient) < 3e-6)
    }

    @Test(arguments: TestTensors.shapes, TestBackend.devices) func alignmentAgreesWithItsFormula(shape: [Int], backend: TestBackend) throws
    {
        let test = try TestTensors(backend)
        let (p, t, c) = (test.normal(shape, seed: 1), test.normal(shape, seed: 2), test.normal(shape, seed: 3))
        let numbers = (test.doubles(p), test.doubles(t), test.doubles(c))
        var expected = 0.0
        for index in numbers.0.indices {
            let difference = numbers.0[index] - numbers.1[index]
            expected += difference * difference + 0.25 * numbers.0[index] * numbers.2[index]
        }
        let loss = test.scalar(3), dp = test.undefined(shape)
        test.backend.alignmentLoss(loss, p, target: t, correlated: c, weight: 0.25, scale: 0.5)
        #expect(abs(test.value(loss) - 3 - 0.5 * expected) < 1e-6 * expected)
        test.backend.alignmentLossBackward(dp, p, target: t, correlated: c, weight: 0.25, scale: 0.5)
        let gradient = numbers.0.indices.map { index -> Double in numbers.0[index] - numbers.1[index] + 0.25 * numbers.2[index] }
        #expect(test.error(dp, gradient) < 1e-6)
    }
}
