import Compute
import TestSupport
import Testing

@Suite struct TokensAndPixelsTests {
    @Test func patchesAreVectorsOfChannelRowColumn() throws {
        let test = try TestTensors()
        let (patchSize, height, width) = (4, 8, 12)
        let images = test.normal([3, 3, height, width], seed: 1)
        let patches = [17, 0, 5, 6, 11]
        let output = test.undefined([patches.count, 48])
        test.backend.patchify(output, images, patches: patches.map { Int32($0) }, patchSize: patchSize)
        let pixels = images.numbers.doubles
        let expected = patches.flatMap { patch in
            (0..<48).map { element in
                Reference.pixel(
                    pixels, height: height, width: width, patchSize: patchSize, patch: patch, channel: element / 16, y: element / 4 % 4,
                    x: element % 4)
            }
        }
        #expect(output.numbers.doubles == expected)
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

    @Test(arguments: TestTensors.rows) func tokensGoToTheirPlaces(rows: Int) throws {
        let test = try TestTensors()
        let width = 13
        let x = test.normal([9, width], seed: 1), filler = test.normal([1, width], seed: 2), table = test.normal([4, width], seed: 3)
        let (sources, positions) = ((0..<rows).map { $0 % 10 - 1 }, (0..<rows).map { $0 * 3 % 4 })
        let output = test.undefined([rows, width])
        test.backend.gatherTokens(
            output, x, filler: filler, table: table, sources: sources.map { Int32($0) }, positions: positions.map { Int32($0) })
        let expected = Reference.gatherTokens(
            x.numbers.doubles, filler: filler.numbers.doubles, table: table.numbers.doubles, sources: sources, positions: positions)
        #expect(TestNumbers.relativeError(output.numbers, expected) < 1e-6)

        let selected = test.undefined([rows, width])
        test.backend.selectRows(selected, x, sources: sources.map { Int32(max($0, 0)) })
        let numbers = x.numbers
        #expect(selected.numbers == sources.flatMap { numbers[max($0, 0) * width..<(max($0, 0) + 1) * width] })
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

    @Test(arguments: [2, 16]) func lossOfPatches(patchSize: Int) throws {
        let test = try TestTensors()
        let (height, width) = (2 * patchSize, 3 * patchSize)
        let images = test.normal([2, 3, height, width], seed: 1)
        let targets = [-1, 3, 4, -1, 11]
        let prediction = test.normal([targets.count, patchSize * patchSize * 3], seed: 2)
        for normalizes in [true, false] {
            let loss = test.backend.patchLoss(
                prediction, images, targets: targets.map { Int32($0) }, patchSize: patchSize, normalizesPatches: normalizes)
            let expected = Reference.patchLoss(
                prediction.numbers.doubles, images.numbers.doubles, height: height, width: width, patchSize: patchSize, targets: targets,
                normalizes: normalizes)
            #expect(abs(loss / expected - 1) < 1e-6)
        }
    }
}
