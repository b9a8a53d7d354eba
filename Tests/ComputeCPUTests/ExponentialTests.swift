import CKernels
import Foundation
import TestSupport
import Testing

/// The kernels' exponential function, as softmax and GELU show it, with every instruction set that the processor has.
@Suite struct ExponentialTests {
    private static let instructionSets = 0...tandem_best_instructions()

    /// exp(x) as the backward pass of softmax computes it, from a log Σ exp of 0.
    private func exponentials(_ x: [Float], _ instructions: Int32) -> [Float] {
        let zeros = [Float](repeating: 0, count: x.count)
        var (y, gradients) = (zeros, zeros)
        y.withUnsafeMutableBytes { y in
            gradients.withUnsafeMutableBytes { gradients in
                tandem_kernels_for(instructions).pointee.softmax_backward(
                    y.baseAddress, gradients.baseAddress, tandem_f32, x, zeros, [0], [0], 1, x.count)
            }
        }
        return y
    }

    /// Softmax of rows of `columns` numbers.
    private func softmax(_ rows: [[Float]], _ instructions: Int32) -> (probabilities: [[Float]], logSumExp: [Float]) {
        let columns = rows[0].count
        let kernels = tandem_kernels_for(instructions).pointee, scores = rows.flatMap { $0 }
        var weights = scores, probabilities = scores, sums = [Float](repeating: 0, count: rows.count), logSumExp = sums
        weights.withUnsafeMutableBytes {
            kernels.softmax($0.baseAddress, tandem_f32, &sums, &logSumExp, scores, rows.count, columns, columns)
        }
        probabilities.withUnsafeMutableBytes {
            kernels.divide_rows($0.baseAddress, tandem_f32, weights, sums, rows.count, columns, columns)
        }
        return (rows.indices.map { Array(probabilities[$0 * columns..<($0 + 1) * columns]) }, logSumExp)
    }

    /// Some four million floats of all signs and magnitudes, against the C library in double precision.
    @Test(arguments: instructionSets) func everywhere(instructions: Int32) {
        let x = stride(from: UInt32(0), through: 0xffff_fc00, by: 1021).map { Float(bitPattern: $0) }
        for (x, y) in zip(x, exponentials(x, instructions)) {
            let expected = exp(Double(x))
            let isRight =
                if x.isNaN {
                    y.isNaN
                } else if x > 88.3 {
                    y == .infinity || abs(Double(y) - expected) <= 2e-7 * expected
                } else { abs(Double(y) - expected) <= max(2e-7 * expected, Double(Float.leastNormalMagnitude)) }
            if !isRight {
                Issue.record("exp(\(x)) is \(y), not \(expected)")
                return
            }
        }
    }

    @Test(arguments: instructionSets) func limits(instructions: Int32) {
        let y = exponentials([-.infinity, -1e30, -88, 0, -0.0, 88.3, 88.73, 1e30, .infinity, .nan, -.nan], instructions)
        #expect(y[..<5] == [0, 0, 0, 1, 1])
        #expect(y[5].isFinite && y[5] > 2.2e38)
        #expect(y[6..<9] == [.infinity, .infinity, .infinity])
        #expect(y[9].isNaN && y[10].isNaN)
    }

    /// Rows longer and shorter than a vector.
    @Test(arguments: instructionSets, [3, 16, 45]) func whatIsMaskedHasNoShare(instructions: Int32, columns: Int) {
        let scores = TestNumbers.normal(columns, seed: 1)
        for masked in [0, columns / 2, columns - 1] {
            var row = scores
            row[masked] = -.infinity
            let (probabilities, logSumExp) = softmax([row], instructions)
            let weights = row.map { exp(Double($0)) }, sum = weights.reduce(0, +)
            #expect(probabilities[0][masked] == 0)
            #expect(TestNumbers.relativeError(probabilities[0], weights.map { $0 / sum }) < 1e-6)
            #expect(abs(Double(logSumExp[0]) - log(sum)) < 1e-6)
        }
        // All but one.
        var row = [Float](repeating: -.infinity, count: columns)
        row[columns - 1] = -50
        let (probabilities, logSumExp) = softmax([row], instructions)
        #expect(probabilities[0] == [Float](repeating: 0, count: columns - 1) + [1])
        #expect(logSumExp == [-50])
    }

    /// As in PyTorch: a row with nothing to look at, or with a number that is none, gives NaN, and to no other row.
    @Test(arguments: instructionSets, [3, 16, 45]) func rowsThatAreNotNumbers(instructions: Int32, columns: Int) {
        let good = TestNumbers.normal(columns, seed: 1)
        var rows = [[Float](repeating: -.infinity, count: columns), [Float](repeating: .nan, count: columns)]
        for bad in [Float.nan, .infinity] {
            for place in [0, columns / 2, columns - 1] {
                rows.append(good)
                rows[rows.count - 1][place] = bad
            }
        }
        let (probabilities, logSumExp) = softmax(rows + [good], instructions)
        for row in rows.indices {
            // An infinite score takes NaN for itself, and nothing is left for the others.
            #expect(probabilities[row].contains { $0.isNaN } && probabilities[row].allSatisfy { $0.isNaN || $0 == 0 }, "row \(row)")
            #expect(logSumExp[row].isNaN, "row \(row)")
        }
        #expect(probabilities.last!.allSatisfy(\.isFinite) && logSumExp.last!.isFinite)
    }
}
