import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct ThreadsTests {
    private static let paths = [TestBackend.cpu, .cpuWithoutOneDNN].flatMap { backend in ModelPrecision.allCases.map { Path(backend, $0) } }

    /// One of everything that sums, with this many threads.
    private func results(_ path: Path, threads: Int) throws -> [Float] {
        let test = try TestTensors(path.backend, threads: threads)
        let rows = 1111, width = 24
        let x = test.normal([rows, width], seed: 1), operand = test.normal([rows, width], seed: 1, path.precision)
        let dy = test.normal([rows, 3 * width], seed: 2, path.precision)
        let weight = test.normal([3 * width, width], seed: 3, path.model.products), bias = test.normal([3 * width], seed: 4)
        let y = test.undefined([rows, 3 * width], path.precision)
        let dWeight = test.constant(0, [3 * width, width]), dBias = test.constant(0, [3 * width])
        let dScale = test.constant(0, [width]), dShift = test.constant(0, [width]), dMaskToken = test.constant(0, [width])
        let dx = test.undefined([rows, width]), statistics = test.undefined([rows, 2]), scale = test.normal([width], seed: 5)
        let normalised = test.undefined([rows, width], path.precision)
        test.backend.linear(y, operand, weight: weight, bias: bias)
        test.backend.linearBackwardWeight(dWeight, dBias: dBias, dy, operand)
        test.backend.linearBackwardInput(dx, dy, weight: weight, accumulates: false)
        test.backend.layerNorm(normalised, statistics: statistics, x, weight: scale, bias: scale, epsilon: 1e-6)
        test.backend.layerNormBackward(
            dx, dWeight: dScale, dBias: dShift, operand, x, statistics: statistics, weight: scale, accumulates: true)
        // Every third row a maskToken, the others of seven tokens.
        let sources = test.indices((0..<rows).map { $0 % 3 == 0 ? -1 : $0 % 7 })
        test.backend.gatherTokensBackward(dx, dMaskToken: dMaskToken, x, sources: sources)

        let sequences = SequenceLayout(lengths: [600, 511]), columns = (0..<3).map { Columns(y, $0 * width..<($0 + 1) * width) }
        let attended = test.undefined([rows, width], path.precision), logSumExp = test.undefined([2, rows])
        let dQKV = test.undefined([rows, 3 * width], path.precision)
        let dColumns = (0..<3).map { Columns(dQKV, $0 * width..<($0 + 1) * width) }
        test.backend.attention(
            attended, logSumExp: logSumExp, query: columns[0], key: columns[1], value: columns[2], queries: sequences, keys: sequences,
            heads: 2)
        test.backend.attentionBackward(
            dQuery: dColumns[0], dKey: dColumns[1], dValue: dColumns[2], operand, attended, logSumExp: logSumExp, query: columns[0],
            key: columns[1], value: columns[2], queries: sequences, keys: sequences, heads: 2)
        let sum = test.scalar(0)
        test.backend.sumsOfSquares(sum, dx, blocks: [0..<dx.count])
        return [y, dWeight, dBias, dx, dScale, dShift, dMaskToken, attended, dQKV].flatMap(test.numbers) + [Float(test.value(sum))]
    }

    @Test(arguments: [1, 2, 3, 5], paths) func sameBitsFromAnyNumberOfThreads(threads: Int, path: Path) throws {
        let expected = try results(path, threads: 1).map(\.bitPattern)
        for _ in 0..<3 {
            let bits = try results(path, threads: threads).map(\.bitPattern)
            #expect(bits == expected)
        }
    }

    @Test func backendsComeAndGo() throws {
        for threads in 1...20 {
            let test = try TestTensors(.cpu, threads: threads % 5 + 1)
            let tensor = test.undefined([100_000])
            test.backend.fill(tensor, Float(threads))
            #expect(test.numbers(tensor).allSatisfy { $0 == Float(threads) })
        }
    }
}
