import Compute
import TestBackends
import TestSupport
import Testing

@Suite struct TokensAndPixelsTests {
    @Test(arguments: [(1, 4, 1), (7, 5, 1), (300, 16, 1), (1, 4, 3), (300, 5, 2)], Path.devices)
    func patchesAreVectorsOfChannelFrameRowColumn(sizes: (rows: Int, patchSize: Int, frames: Int), path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let (patch, height, width) = (PatchShape(sizes.patchSize, frames: sizes.frames), 2 * sizes.patchSize, 3 * sizes.patchSize)
        let images = test.normal([3 * sizes.frames, 3, height, width], seed: 1)
        let patches = (0..<sizes.rows).map { $0 * 7 % 18 }
        let output = test.undefined([patches.count, patch.count], precision)
        test.backend.patchify(output, images, patches: test.indices(patches), patch)
        let expected = Reference.patches(Reference.Clip(test.doubles(images), height: height, width: width, patch), patches)
        #expect(test.numbers(output) == expected.map { precision == .bf16 ? BFloat16.rounded(Float($0)) : Float($0) })
    }

    @Test(arguments: TestBackend.devices) func imagesLoseImageNetsStatistics(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        // Two images of 2 x 3.
        let pixels = (0..<2).map { image in [0, 255] + (2..<18).map { UInt8(truncatingIfNeeded: ($0 + image) * 41 + 7) } }
        let output = test.undefined([2, 3, 2, 3])
        let bytes = test.arena.array(of: UInt8.self, count: 36)
        test.backend.upload(bytes, from: pixels[0] + pixels[1])
        test.backend.normalizeImages(output, pixels: bytes, .imageNet)
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
        #expect(TestNumbers.relativeError(test.numbers(output), expected) < 1e-6)
    }

    @Test(arguments: TestTensors.shapes, TestBackend.devices) func tokensGoToTheirPlaces(shape: [Int], backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let (rows, width) = (shape[0], shape[1])
        let x = test.normal([rows, width], seed: 1), maskToken = test.normal([1, width], seed: 2), table = test.normal([4, width], seed: 3)
        // Backwards, every tenth place a maskToken.
        let (sources, positions) = ((0..<rows).map { $0 % 10 == 3 ? -1 : rows - 1 - $0 }, (0..<rows).map { $0 * 3 % 4 })
        let output = test.undefined([rows, width])
        test.backend.gatherTokens(
            output, x, maskToken: maskToken, table: table, sources: test.indices(sources), positions: test.indices(positions))
        let expected = Reference.gatherTokens(
            test.doubles(x), maskToken: test.doubles(maskToken), table: test.doubles(table), sources: sources, positions: positions)
        #expect(test.error(output, expected) < 1e-6)

        let dx = test.constant(1, [rows, width]), dMaskToken = test.constant(2, [1, width])
        test.backend.gatherTokensBackward(dx, dMaskToken: dMaskToken, output, sources: test.indices(sources))
        var (dxExpected, dFillerExpected) = ([Double](repeating: 1, count: rows * width), [Double](repeating: 2, count: width))
        for (index, gradient) in test.doubles(output).enumerated() {
            let (row, column) = (index / width, index % width)
            if sources[row] < 0 { dFillerExpected[column] += gradient } else { dxExpected[sources[row] * width + column] += gradient }
        }
        #expect(test.error(dx, dxExpected) < 1e-6)
        #expect(test.error(dMaskToken, dFillerExpected) < 1e-6)
    }

    /// All rows but the fillers come from two tokens. Sums of whole numbers are exact.
    @Test(arguments: TestTensors.widths, TestBackend.devices.flatMap { backend in [1, 2, 3, 5].map { (backend, $0) } })
    func gradientsOfATokenInManyPlacesAdd(width: Int, on: (backend: TestBackend, threads: Int)) throws {
        let test = try TestTensors(on.backend, threads: on.threads)
        let rows = 1000
        let gradients = test.tensor(TestNumbers.normal(rows * width, seed: 1).map { ($0 * 8).rounded() }, [rows, width])
        let sources = (0..<rows).map { $0 % 7 == 3 ? -1 : $0 % 2 * 2 }
        let dx = test.constant(1, [3, width]), dMaskToken = test.constant(2, [1, width])
        test.backend.gatherTokensBackward(dx, dMaskToken: dMaskToken, gradients, sources: test.indices(sources))
        var sums = [Float](repeating: 1, count: 3 * width) + [Float](repeating: 2, count: width)
        for (index, gradient) in test.numbers(gradients).enumerated() {
            let source = sources[index / width]
            sums[(source < 0 ? 3 : source) * width + index % width] += gradient
        }
        #expect(test.numbers(dx) + test.numbers(dMaskToken) == sums)
    }

    /// As in the forward pass.
    @Test(arguments: TestBackend.devices) func tokensThatDoNotExistAreRefused(backend: TestBackend) async {
        await #expect(processExitsWith: .failure) { [backend] in try gatherGradients(fromRow: 3, backend) }
        await #expect(processExitsWith: .success) { [backend] in try gatherGradients(fromRow: 2, backend) }
    }

    @Test(arguments: TestTensors.shapes, Path.devices) func rowsAreCopied(shape: [Int], path: Path) throws {
        let (test, precision) = (try TestTensors(path.backend), path.precision)
        let (rows, width) = (shape[0], shape[1])
        let x = test.normal([9, width], seed: 1, precision), y = test.undefined(shape)
        let sources = (0..<rows).map { $0 * 4 % 9 }, numbers = test.numbers(x)
        test.backend.selectRows(y, x, sources: test.indices(sources))
        let expected = sources.flatMap { Array(numbers[$0 * width..<($0 + 1) * width]) }
        #expect(test.numbers(y) == expected)
    }

    @Test(arguments: TestTensors.rows, TestBackend.devices) func framesAreToldApart(rows: Int, backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let width = 13
        let x = test.normal([rows, width], seed: 1), embedding = test.normal([1, 2, width], seed: 2)
        let frames = (0..<rows).map { $0 * 2 % 3 - 1 }
        let output = test.undefined([rows, width])
        test.backend.positionEmbedding(output, x, table: embedding, positions: test.indices(frames))
        let (tokens, vectors) = (test.numbers(x), test.numbers(embedding))
        let expected = tokens.indices.map { index in
            let frame = frames[index / width]
            return frame < 0 ? tokens[index] : tokens[index] + vectors[frame * width + index % width]
        }
        #expect(test.numbers(output) == expected)

        let gradient = test.tensor([Float](repeating: 1, count: 2 * width), [1, 2, width])
        test.backend.positionEmbeddingBackward(dTable: gradient, x, positions: test.indices(frames))
        var sums = [Double](repeating: 1, count: 2 * width)
        for index in tokens.indices where frames[index / width] >= 0 {
            sums[frames[index / width] * width + index % width] += Double(tokens[index])
        }
        #expect(TestNumbers.relativeError(test.numbers(gradient), sums) < 1e-5)
    }

    @Test(
        arguments: [(2, 1), (5, 1), (16, 1), (2, 3), (16, 2)].flatMap { size in [5, 300].map { (size.0, size.1, $0) } }, TestBackend.devices
    )
    func lossOfPatches(sizes: (patchSize: Int, frames: Int, rows: Int), backend: TestBackend) throws {
        let (test, rows, patch) = (try TestTensors(backend), sizes.rows, PatchShape(sizes.patchSize, frames: sizes.frames))
        let (height, width) = (2 * sizes.patchSize, 3 * sizes.patchSize)
        let images = test.normal([2 * sizes.frames, 3, height, width], seed: 1)
        let targets = (0..<rows).map { $0 % 3 == 0 ? -1 : $0 * 7 % 12 }
        let prediction = test.normal([rows, patch.count], seed: 2)
        for target in PatchTarget.allCases {
            let loss = test.scalar(100)
            test.backend.patchLoss(loss, prediction, images, targets: test.indices(targets), patch, target, scale: 0.25)
            let clip = Reference.Clip(test.doubles(images), height: height, width: width, patch)
            let expected = Reference.patchLoss(test.doubles(prediction), clip, targets: targets, target)
            #expect(abs((test.value(loss) - 100) / (0.25 * expected.loss) - 1) < 1e-6, "added to what is there")
            let gradient = test.undefined(prediction.shape)
            test.backend.patchLossBackward(gradient, prediction, images, targets: test.indices(targets), patch, target, scale: 0.25)
            let scaled = expected.gradient.map { 0.25 * $0 }
            #expect(test.error(gradient, scaled) < 1e-6)
        }
    }

    /// A patch of one colour has no deviation to be divided by. Channel by channel no rounding may take its place, whatever the level and
    /// however many pixels: a millionth is all that it would be divided by.
    @Test(arguments: TestBackend.devices) func lossOfAFlatPatch(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let prediction = test.constant(0.5, [1, 48]), loss = test.scalar(0)
        test.backend.patchLoss(
            loss, prediction, test.constant(3, [1, 3, 4, 4]), targets: test.indices([0]), PatchShape(4), .normalized, scale: 1)
        #expect(test.value(loss) == 0.25)
        for (level, size) in [(UInt8(128), 4), (77, 5), (200, 7), (1, 6)] {
            let patch = PatchShape(size, frames: 2), images = test.undefined([2, 3, size, size])
            let bytes = test.arena.array(of: UInt8.self, count: images.count)
            test.backend.upload(bytes, from: [UInt8](repeating: level, count: images.count))
            test.backend.normalizeImages(images, pixels: bytes, .imageNet)
            let loss = test.scalar(0), prediction = test.constant(0.5, [1, patch.count])
            test.backend.patchLoss(loss, prediction, images, targets: test.indices([0]), patch, .normalizedChannels, scale: 1)
            #expect(abs(test.value(loss) - 0.25) < 1e-6, "level \(level)")
        }
    }

    /// Known answers for four pixels of three channels, the third constant (rules.json of the golden recipes, "target normalisation"); the
    /// levels of the images are ImageNet's statistics undone.
    @Test(arguments: TestBackend.devices) func targetsOfOneToken(backend: TestBackend) throws {
        let test = try TestTensors(backend)
        let token = [1.0, 5, 9, 2, 7, 9, 4, 6, 9, 5, 2, 9]
        let joint = [
            -1.558180881, -0.222597269, 1.112986343, -1.224284978, 0.445194537, 1.112986343, -0.556493172, 0.111298634, 1.112986343,
            -0.222597269, -1.224284978, 1.112986343,
        ]
        let channels = [
            -1.095444515, 0.0, 0.0, -0.547722258, 0.925819671, 0.0, 0.547722258, 0.462909836, 0.0, 1.095444515, -1.388729507, 0.0,
        ]
        let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        func images(_ value: (_ index: Int) -> Double) -> Tensor {
            test.tensor((0..<12).map { Float(value($0 % 4 * 3 + $0 / 4)) }, [1, 3, 2, 2])
        }
        func expectTarget(_ expected: [Double], _ kind: PatchTarget, _ images: Tensor) {
            let gradient = test.undefined([1, 12])
            test.backend.patchLossBackward(
                gradient, test.constant(0, [1, 12]), images, targets: test.indices([0]), PatchShape(2), kind, scale: 1)
            #expect(TestNumbers.relativeError(test.numbers(gradient).map { -6 * $0 }, expected) < 1e-6, "\(kind)")
        }
        let levels = images { (token[$0] - mean[$0 % 3]) / deviation[$0 % 3] }
        expectTarget(joint, .normalized, images { token[$0] })
        expectTarget(token, .standard, images { token[$0] })
        expectTarget(token, .unit, levels)
        expectTarget(channels, .normalizedChannels, levels)
    }
}

/// Scatters gradients to three tokens, from one row that is among them and one that may not be.
private func gatherGradients(fromRow row: Int, _ backend: TestBackend) throws {
    let test = try TestTensors(backend, threads: 1)
    test.backend.gatherTokensBackward(
        test.constant(0, [3, 4]), dMaskToken: test.constant(0, [1, 4]), test.constant(0, [2, 4]), sources: test.indices([0, row]))
}
