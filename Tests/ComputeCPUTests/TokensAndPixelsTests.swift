import Compute
import TestSupport
import Testing

@Suite struct TokensAndPixelsTests {
    @Test(arguments: [(1, 4), (7, 5), (300, 16)], Precision.allCases)
    func patchesAreVectorsOfChannelRowColumn(sizes: (rows: Int, patchSize: Int), precision: Precision) throws {
        let test = try TestTensors()
        let (patchSize, height, width) = (sizes.patchSize, 2 * sizes.patchSize, 3 * sizes.patchSize)
        let images = test.normal([3, 3, height, width], seed: 1)
        let patches = (0..<sizes.rows).map { $0 * 7 % 18 }
        let output = test.undefined([patches.count, 3 * patchSize * patchSize], precision)
        test.backend.patchify(output, images, patches: patches.map { Int32($0) }, patchSize: patchSize)
        let expected = Reference.patches(images.numbers.doubles, height: height, width: width, patchSize: patchSize, patches: patches)
        #expect(output.numbers == expected.map { precision == .bf16 ? BFloat16.rounded(Float($0)) : Float($0) })
    }

    @Test func imagesLoseImageNetsStatistics() throws {
        let test = try TestTensors()
        // Two images of 2 x 3.
        let pixels = (0..<2).map { image in [0, 255] + (2..<18).map { UInt8(truncatingIfNeeded: ($0 + image) * 41 + 7) } }
        let output = test.undefined([2, 3, 2, 3])
        pixels[0].withUnsafeBufferPointer { first in
            pixels[1].withUnsafeBufferPointer { second in
                test.backend.normalizeImages(output, images: [first.baseAddress!, second.baseAddress!])
            }
        }
        let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        var expected: [Double] = []
        for image in 0..<2 {
            for channel in 0..<3 {
                for pixel in 0..<6 {
                    let level = Double(pixels[image][pixel * 3 + channel]) / 255
                    expected.append((level - mean[channel]) / deviation[channel])
                }
            }
        }
        #expect(TestNumbers.relativeError(output.numbers, expected) < 1e-6)
    }

    @Test(arguments: TestTensors.shapes) func tokensGoToTheirPlaces(shape: [Int]) throws {
        let test = try TestTensors()
        let (rows, width) = (shape[0], shape[1])
        let x = test.normal([rows, width], seed: 1), maskToken = test.normal([1, width], seed: 2), table = test.normal([4, width], seed: 3)
        // Backwards, every tenth place a maskToken.
        let (sources, positions) = ((0..<rows).map { $0 % 10 == 3 ? -1 : rows - 1 - $0 }, (0..<rows).map { $0 * 3 % 4 })
        let output = test.undefined([rows, width])
        test.backend.gatherTokens(
            output, x, maskToken: maskToken, table: table, sources: sources.map { Int32($0) }, positions: positions.map { Int32($0) })
        let expected = Reference.gatherTokens(
            x.numbers.doubles, maskToken: maskToken.numbers.doubles, table: table.numbers.doubles, sources: sources, positions: positions)
        #expect(output.error(expected) < 1e-6)

        let dx = test.constant(1, [rows, width]), dMaskToken = test.constant(2, [1, width])
        test.backend.gatherTokensBackward(dx, dMaskToken: dMaskToken, output, sources: sources.map { Int32($0) })
        var (dxExpected, dFillerExpected) = ([Double](repeating: 1, count: rows * width), [Double](repeating: 2, count: width))
        for (index, gradient) in output.numbers.doubles.enumerated() {
            let (row, column) = (index / width, index % width)
            if sources[row] < 0 { dFillerExpected[column] += gradient } else { dxExpected[sources[row] * width + column] += gradient }
        }
        #expect(dx.error(dxExpected) < 1e-6)
        #expect(dMaskToken.error(dFillerExpected) < 1e-6)
    }

    /// All rows but the fillers come from two tokens. Sums of whole numbers are exact.
    @Test(arguments: TestTensors.widths, [1, 2, 3, 5]) func gradientsOfATokenInManyPlacesAdd(width: Int, threads: Int) throws {
        let test = try TestTensors(threads: threads)
        let rows = 1000
        let gradients = test.tensor(TestNumbers.normal(rows * width, seed: 1).map { ($0 * 8).rounded() }, [rows, width])
        let sources = (0..<rows).map { $0 % 7 == 3 ? -1 : $0 % 2 * 2 }
        let dx = test.constant(1, [3, width]), dMaskToken = test.constant(2, [1, width])
        test.backend.gatherTokensBackward(dx, dMaskToken: dMaskToken, gradients, sources: sources.map { Int32($0) })
        var sums = [Float](repeating: 1, count: 3 * width) + [Float](repeating: 2, count: width)
        for (index, gradient) in gradients.numbers.enumerated() {
            let source = sources[index / width]
            sums[(source < 0 ? 3 : source) * width + index % width] += gradient
        }
        #expect(dx.numbers + dMaskToken.numbers == sums)
    }

    /// As in the forward pass.
    @Test func tokensThatDoNotExistAreRefused() async {
        await #expect(processExitsWith: .failure) {
            let test = try TestTensors(threads: 1)
            test.backend.gatherTokensBackward(
                test.constant(0, [3, 4]), dMaskToken: test.constant(0, [1, 4]), test.constant(0, [2, 4]), sources: [0, 3])
        }
    }

    @Test(arguments: TestTensors.shapes, Precision.allCases) func rowsAreCopied(shape: [Int], precision: Precision) throws {
        let test = try TestTensors()
        let (rows, width) = (shape[0], shape[1])
        let x = test.normal([9, width], seed: 1, precision), y = test.undefined(shape)
        let sources = (0..<rows).map { $0 * 4 % 9 }, numbers = x.numbers
        test.backend.selectRows(y, x, sources: sources.map { Int32($0) })
        let expected = sources.flatMap { Array(numbers[$0 * width..<($0 + 1) * width]) }
        #expect(y.numbers == expected)
    }

    @Test(arguments: TestTensors.rows) func framesAreToldApart(rows: Int) throws {
        let test = try TestTensors()
        let width = 13
        let x = test.normal([rows, width], seed: 1), embedding = test.normal([1, 2, width], seed: 2)
        let frames = (0..<rows).map { $0 * 2 % 3 - 1 }
        let output = test.undefined([rows, width])
        test.backend.frameEmbedding(output, x, embedding: embedding, frames: frames.map { Int32($0) })
        let (tokens, vectors) = (x.numbers, embedding.numbers)
        let expected = tokens.indices.map { index in
            let frame = frames[index / width]
            return frame < 0 ? tokens[index] : tokens[index] + vectors[frame * width + index % width]
        }
        #expect(output.numbers == expected)

        let gradient = test.tensor([Float](repeating: 1, count: 2 * width), [1, 2, width])
        test.backend.frameEmbeddingBackward(dEmbedding: gradient, x, frames: frames.map { Int32($0) })
        var sums = [Double](repeating: 1, count: 2 * width)
        for index in tokens.indices where frames[index / width] >= 0 {
            sums[frames[index / width] * width + index % width] += Double(tokens[index])
        }
        #expect(TestNumbers.relativeError(gradient.numbers, sums) < 1e-5)
    }

    @Test(arguments: [2, 5, 16], [5, 300]) func lossOfPatches(patchSize: Int, rows: Int) throws {
        let test = try TestTensors()
        let (height, width) = (2 * patchSize, 3 * patchSize)
        let images = test.normal([2, 3, height, width], seed: 1)
        let targets = (0..<rows).map { $0 % 3 == 0 ? -1 : $0 * 7 % 12 }
        let prediction = test.normal([rows, patchSize * patchSize * 3], seed: 2)
        for normalizes in [true, false] {
            let loss = test.backend.patchLoss(
                prediction, images, targets: targets.map { Int32($0) }, patchSize: patchSize, normalizesPatches: normalizes)
            let expected = Reference.patchLoss(
                prediction.numbers.doubles, images.numbers.doubles, height: height, width: width, patchSize: patchSize, targets: targets,
                normalizes: normalizes)
            #expect(abs(loss / expected.loss - 1) < 1e-6)
            let gradient = test.undefined(prediction.shape)
            test.backend.patchLossBackward(
                gradient, prediction, images, targets: targets.map { Int32($0) }, patchSize: patchSize, normalizesPatches: normalizes,
                scale: 0.25)
            let scaled = expected.gradient.map { 0.25 * $0 }
            #expect(gradient.error(scaled) < 1e-6)
        }
    }

    /// A patch of one colour has no deviation to be divided by.
    @Test func lossOfAFlatPatch() throws {
        let test = try TestTensors()
        let images = test.constant(3, [1, 3, 4, 4]), prediction = test.constant(0.5, [1, 48])
        #expect(test.backend.patchLoss(prediction, images, targets: [0], patchSize: 4, normalizesPatches: true) == 0.25)
    }
}
