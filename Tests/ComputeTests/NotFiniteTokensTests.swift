import Compute
import TestBackends
import TestSupport
import Testing

/// The same for the ops on sequences, tokens and pixels, and for the optimizer.
@Suite struct NotFiniteTokensTests {
    private static let bad: [Float] = [.nan, .infinity, -.infinity]

    /// Queries, keys, values or gradients of two sequences and two heads, with a bad number in the second sequence's second head.
    @Test(arguments: ["query", "key", "value", "gradient"].flatMap { name in bad.map { (name, $0) } }, Path.devices)
    func attention(spoilt: (name: String, number: Float), path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let (name, number) = spoilt
        let sequences = SequenceLayout(lengths: [20, 33]), width = 8, rows = 53
        let (spoiltRow, spoiltColumn) = (40, 6)
        let tensors = ["query", "key", "value", "gradient"].enumerated().map { index, own in
            // Positive throughout, so that an infinite score is one of the largest and its softmax not a number.
            var numbers = TestNumbers.normal(rows * width, seed: UInt64(index + 1)).map { abs($0) }
            if own == name { numbers[spoiltRow * width + spoiltColumn] = number }
            return test.tensor(numbers, [rows, width], precision)
        }
        let columns = tensors.map { Columns($0, 0..<width) }
        let output = test.constant(0, [rows, width], precision), logSumExp = test.constant(0, [2, rows])
        let gradients = (0..<3).map { _ in test.constant(0, [rows, width], precision) }
        test.backend.attention(
            output, logSumExp: logSumExp, query: columns[0], key: columns[1], value: columns[2], queries: sequences, keys: sequences,
            heads: 2)
        test.backend.attentionBackward(
            dQuery: Columns(gradients[0], 0..<width), dKey: Columns(gradients[1], 0..<width), dValue: Columns(gradients[2], 0..<width),
            tensors[3], output, logSumExp: logSumExp, query: columns[0], key: columns[1], value: columns[2], queries: sequences,
            keys: sequences, heads: 2)

        for (index, tensor) in ([output] + gradients).enumerated() {
            let numbers = test.numbers(tensor)
            let others = numbers.indices.filter { $0 / width < 20 || $0 % width < 4 }
            #expect(others.allSatisfy { numbers[$0].isFinite }, "another sequence or head")
            // A key with the score of minus infinity is not looked at.
            if name == "key", number == -.infinity { continue }
            // The gradient of the values depends on them as little as the output on its own gradient.
            let isReached = !(name == "gradient" && index == 0) && !(name == "value" && index == 3)
            #expect(numbers.contains { !$0.isFinite } == isReached, "\(["output", "dQuery", "dKey", "dValue"][index])")
        }
        if name == "query" {
            let numbers = test.numbers(output)
            let rows = Set(numbers.indices.filter { !numbers[$0].isFinite }.map { $0 / width })
            #expect(rows == [spoiltRow], "a query is by itself")
        }
    }

    @Test(arguments: bad, TestBackend.devices) func tokens(number: Float, backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let (rows, width) = (150, 6)
        var numbers = TestNumbers.normal(rows * width, seed: 1)
        numbers[140 * width + 2] = number
        let x = test.tensor(numbers, [rows, width]), zeros = test.constant(0, [1, width]), table = test.constant(0, [rows, width])
        let sources = test.indices((0..<rows).map { $0 == 3 ? -1 : rows - 1 - $0 })
        func all(_ index: Int) -> DeviceArray<Int32> { test.indices(Array(repeating: index, count: rows)) }
        func badElements(_ tensor: Tensor) -> [Int] {
            let numbers = test.numbers(tensor)
            return numbers.indices.filter { !numbers[$0].isFinite }
        }

        let y = test.constant(0, [rows, width])
        test.backend.gatherTokens(y, x, maskToken: zeros, table: table, sources: sources, positions: test.indices(0..<rows))
        #expect(badElements(y) == [9 * width + 2])
        test.backend.gatherTokens(
            y, zeros, maskToken: test.tensor(Array(numbers[(140 * width)..<(141 * width)]), [1, width]), table: x,
            sources: all(-1), positions: all(0))
        #expect(badElements(y) == (0..<rows).map { $0 * width + 2 })

        let dx = test.constant(0, [rows, width]), dMaskToken = test.constant(0, [1, width])
        test.backend.gatherTokensBackward(dx, dMaskToken: dMaskToken, x, sources: sources)
        #expect(badElements(dx) == [9 * width + 2] && badElements(dMaskToken).isEmpty)
        test.backend.gatherTokensBackward(dx, dMaskToken: dMaskToken, x, sources: all(-1))
        #expect(badElements(dMaskToken) == [2])

        test.backend.positionEmbedding(y, x, table: test.constant(0, [1, 2, width]), positions: all(1))
        #expect(badElements(y) == [140 * width + 2])
        let dEmbedding = test.constant(0, [1, 2, width])
        test.backend.positionEmbeddingBackward(dTable: dEmbedding, x, positions: all(1))
        #expect(badElements(dEmbedding) == [width + 2])
    }

    @Test(arguments: bad.flatMap { number in PatchTarget.allCases.map { (number, $0) } }, TestBackend.devices)
    func pixels(spoilt: (number: Float, target: PatchTarget), backend: TestBackend) throws {
        let ((number, target), patch) = (spoilt, PatchShape(4))
        let test = try TestTensors(backend)
        var pixels = TestNumbers.normal(3 * 8 * 8, seed: 1)
        pixels[64 + 8 * 5 + 2] = number  // Channel 1, row 5, column 2: patch 2 of four.
        let images = test.tensor(pixels, [1, 3, 8, 8]), good = test.normal([1, 3, 8, 8], seed: 2)
        for precision in Precision.allCases {
            let patches = test.constant(0, [4, 48], precision)
            test.backend.patchify(patches, images, patches: test.indices(0..<4), patch)
            let numbers = test.numbers(patches)
            #expect(numbers.indices.filter { !numbers[$0].isFinite } == [2 * 48 + 16 + 4 + 2])
        }
        func loss(_ prediction: Tensor, _ images: Tensor, _ targets: [Int]) -> (loss: Double, badRows: Set<Int>) {
            let gradient = test.undefined(prediction.shape), sum = test.scalar(0), targets = test.indices(targets)
            test.backend.patchLossBackward(gradient, prediction, images, targets: targets, patch, target, scale: 1)
            let numbers = test.numbers(gradient)
            test.backend.patchLoss(sum, prediction, images, targets: targets, patch, target, scale: 1)
            return (test.value(sum), Set(numbers.indices.filter { !numbers[$0].isFinite }.map { $0 / 48 }))
        }
        let prediction = test.normal([3, 48], seed: 3)
        var spoilt = test.numbers(prediction)
        spoilt[50] = number
        let badPixel = loss(prediction, images, [0, 2, 3]), badPrediction = loss(test.tensor(spoilt, [3, 48]), good, [0, 2, 3])
        #expect(!badPixel.loss.isFinite && badPixel.badRows == [1])
        #expect(!badPrediction.loss.isFinite && badPrediction.badRows == [1])
        // What is no target counts for nothing, whatever it is.
        let ignored = loss(test.tensor(spoilt, [3, 48]), images, [0, -1, 3])
        #expect(ignored.loss.isFinite && ignored.badRows.isEmpty)
    }

    @Test(arguments: bad, TestBackend.devices) func optimizer(number: Float, backend: TestBackend) throws {
        let test = try TestTensors(backend)
        var numbers = TestNumbers.normal(100_000, seed: 1)
        numbers[70_000] = number
        let values = test.normal([100_000], seed: 2), gradients = test.tensor(numbers, [100_000])
        let first = test.constant(0, [100_000]), second = test.constant(0, [100_000])
        let sum = test.scalar(0)
        test.backend.sumsOfSquares(sum, gradients, blocks: [0..<gradients.count])
        #expect(!test.value(sum).isFinite)
        test.backend.adamW(
            values: values, gradients: gradients, firstMoments: first, secondMoments: second, learningRate: 0.1, beta1: 0.9, beta2: 0.95,
            epsilon: 1e-8, weightDecay: 0.05, step: 1, gradientScale: 1)
        let after = test.numbers(values)
        #expect(after.indices.filter { !after[$0].isFinite } == [70_000])
    }
}
